"""Architectures: `create_model(name)` builds one, `MODELS` lists them."""

from fer_core.models.base import MODELS, ModelSpec, create_model, parameter_count

__all__ = ["MODELS", "ModelSpec", "create_model", "parameter_count"]
