"""What each preset does to test scores, beside the same training without a recipe."""
