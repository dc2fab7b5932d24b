"""Facial expression recognition on FER2013 and FER+: data, models, training, evaluation, explanation, inference."""

__version__ = "0.1.0"
