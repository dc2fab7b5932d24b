"""Photo -> faces -> emotions: `Predictor(classifier).predict(picture)`."""

from fer_core.inference.faces import DetectedFace, Face, FaceDetector, crop_face
from fer_core.inference.image import ImageSource, Photo, open_image, open_photo
from fer_core.inference.predictor import FacePrediction, PhotoResult, Predictor

__all__ = [
    "DetectedFace",
    "Face",
    "FaceDetector",
    "FacePrediction",
    "ImageSource",
    "Photo",
    "PhotoResult",
    "Predictor",
    "crop_face",
    "open_image",
    "open_photo",
]
