"""A small network for the colour and the kind of a plate."""
