"""Networks from scratch, networks from ImageNet, and ensembles of both."""

from typing import Any

from fer_core.studies.rows import Published, ensemble, network, register_table

FINE_TUNED: dict[str, Any] = {"learning_rate": 0.001, "freeze_epochs": 1, "backbone_learning_rate": 0.3}
JOINED = ("resnet18", "googlenet", "keras_cnn", "efficientnet_lite0")

register_table(
    "scratch_or_pretrained",
    "From scratch against pretrained, and ensembles",
    "Is ImageNet worth its price on 48 grey pixels, and what does joining networks add?",
    network("keras_cnn", "four convolutions, two dense layers", "keras_cnn"),
    network("alexnet", "AlexNet for 48 pixels", "alexnet"),
    network("googlenet", "GoogLeNet for 48 pixels", "googlenet"),
    network("resnet18", "ResNet-18 from scratch", "resnet18",
            published=Published(0.7370, "https://github.com/LetheSec/Fer2013-Facial-Emotion-Recognition-Pytorch",
                                "another ResNet-18, ten-crop; best of 300 epochs picked on PrivateTest")),
    network("resnet34", "ResNet-34 from scratch", "resnet34"),
    network("resnet50", "ResNet-50 from scratch", "resnet50"),
    network("resnet101", "ResNet-101 from scratch", "resnet101"),
    network("efficientnet_b0", "EfficientNet-B0 from scratch", "efficientnet_b0"),
    network("efficientnet_b5", "EfficientNet-B5 from scratch", "efficientnet_b5"),
    network("efficientnet_lite0_scratch", "EfficientNet-Lite0 from scratch", "efficientnet_lite0",
            model_options={"pretrained": False}),
    network("efficientnet_lite0", "EfficientNet-Lite0 from ImageNet: frozen, then tuned", "efficientnet_lite0",
            model_options={"pretrained": True}, **FINE_TUNED),
    ensemble("soft_vote", "soft vote of four", "soft_vote", JOINED),
    ensemble("weighted_vote", "weighted vote, weights from PublicTest", "weighted_vote", JOINED),
    ensemble("stacking", "stacking, fitted on PublicTest", "stacking", JOINED),
)  # fmt: skip
