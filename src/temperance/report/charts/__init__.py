"""Charts drawn as inline SVG, without a script; each one carries a title, a description and its table."""
