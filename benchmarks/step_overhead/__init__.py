"""What a step through a session costs beside the same technique written by hand."""
