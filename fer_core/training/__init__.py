"""From a config and a dataset to the best weights: steps, optimisers and schedules, the loop, its state on disk."""
