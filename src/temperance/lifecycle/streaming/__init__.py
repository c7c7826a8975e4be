"""A model on a stream, judged as it would have been used: answered first, then told the truth."""
