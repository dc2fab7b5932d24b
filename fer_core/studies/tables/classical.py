"""What was there before deep networks: features made by hand, and a network's features, under SVMs and forests."""

from fer_core.studies.reference import REFERENCE
from fer_core.studies.rows import classical, register_table

register_table(
    "classical",
    "Classical methods",
    "How far do hand-made features carry, and what do a network's features do under an SVM?",
    REFERENCE,  # the network behind the last two rows
    classical("hog_linear_svm", "HOG, linear SVM", "linear_svm", "hog"),
    classical("hog_rbf_svm", "HOG, RBF SVM", "rbf_svm", "hog"),
    classical("hog_forest", "HOG, random forest", "random_forest", "hog"),
    classical("sift_linear_svm", "dense SIFT words, linear SVM", "linear_svm", "sift_words"),
    classical("sift_rbf_svm", "dense SIFT words, RBF SVM", "rbf_svm", "sift_words"),
    classical("sift_forest", "dense SIFT words, random forest", "random_forest", "sift_words"),
    classical(
        "vgg_linear_svm", f"features of {REFERENCE.name}, linear SVM", "linear_svm", "network", of=REFERENCE.name
    ),
    classical("vgg_rbf_svm", f"features of {REFERENCE.name}, RBF SVM", "rbf_svm", "network", of=REFERENCE.name),
)
