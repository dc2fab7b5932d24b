"""The network on which methods, augmentations, optimisers and ensembles are tried, and its row in their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fer_core.studies.rows import network

NET: Final[Mapping[str, Any]] = {"model": "vgg_se", "model_options": {"width": 0.25}}
"""VGG-SE at a quarter of its width: small enough for many rows, good enough to tell them apart."""

REFERENCE: Final = network("vgg_se_quarter", "quarter-width VGG-SE by the protocol, nothing added", **NET)
