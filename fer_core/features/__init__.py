"""Numbers that describe a face without learning from labels: uint8 (N, 48, 48) -> float32 (N, D)."""

from fer_core.features.base import FEATURES, Extractor, create_extractor

__all__ = ["FEATURES", "Extractor", "create_extractor"]
