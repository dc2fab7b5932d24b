"""Facial expression recognition on FER2013 and FER+: data, models, training, evaluation, explanation, inference."""

import os

__version__ = "0.1.0"

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else onnxruntime reports to its makers; read at its import
