"""Fine-tuning without forgetting: a small language model that knows six things learns a seventh."""
