"""A network's penultimate features, for the classical methods that stand on them."""

from __future__ import annotations

import numpy as np

from fer_core.artifacts import NETWORK
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.errors import UnsupportedError
from fer_core.features.base import Embed


def embedding(classifier: CheckpointClassifier) -> Embed:
    """uint8 (N, 48, 48) -> float32 (N, D): what the network hands to its head, maps averaged over their places.

    Raises:
        UnsupportedError: the classifier is not one network.
    """
    import torch

    if classifier.card.kind != NETWORK:
        raise UnsupportedError(f"{classifier.name} is not one network, so it has no features of its own")
    model = classifier.torch_model()
    device = next(model.parameters()).device

    def embed(faces: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found = model.features(model.centre(classifier.normalise(faces).to(device))).float()
            if found.ndim > 2:
                found = found.flatten(2).mean(2)
            features: np.ndarray = found.cpu().numpy()
            return features

    return embed
