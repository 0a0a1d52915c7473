"""`gatekeeper simulate`: the rules on trial, in a world that knows nothing of them."""
