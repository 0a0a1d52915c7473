"""A detector of our own: where the plates are in a picture, with corners and rows."""
