"""Training methods, one a file; `fer_core.training.step.STEPS` finds them."""
