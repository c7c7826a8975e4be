"""What each technique does to a test score at its default strengths, beside the same training without it."""
