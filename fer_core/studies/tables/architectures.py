"""The other architectures that the field has tried."""

from fer_core.studies.rows import Published, network, register_table

PRAMERDORFER = "https://arxiv.org/abs/1612.02903"

register_table(
    "architectures",
    "Architectures",
    "How do the field's architectures compare when all are trained alike?",
    network("saravanan", "ten-layer CNN", "saravanan"),
    network("tang_cnn", "CNN with an L2-SVM output", "tang_cnn", loss="l2_svm", label_smoothing=0.0,
            published=Published(0.7116, "https://arxiv.org/abs/1306.0239", "winner of the 2013 challenge")),
    network("mollahosseini", "two convolutions, four inception modules", "mollahosseini",
            published=Published(0.664, "https://arxiv.org/abs/1511.04110", "mean of five folds")),
    network("mini_xception", "mini-Xception", "mini_xception",
            published=Published(0.66, "https://arxiv.org/abs/1710.07557",
                                "split 80 to 20 (oarriaga/face_classification, issue 6)")),
    network("xception", "Xception", "xception"),
    network("pramerdorfer_vgg", "VGG of Pramerdorfer & Kampel", "pramerdorfer_vgg",
            published=Published(0.727, PRAMERDORFER)),
    network("pramerdorfer_inception", "Inception of Pramerdorfer & Kampel", "pramerdorfer_inception",
            published=Published(0.716, PRAMERDORFER)),
    network("pramerdorfer_resnet", "ResNet of Pramerdorfer & Kampel", "pramerdorfer_resnet",
            published=Published(0.724, PRAMERDORFER)),
    network("residual_masking", "residual masking network, a lighter form", "residual_masking_light",
            published=Published(0.7414, "https://github.com/phamquiluan/ResidualMaskingNetwork",
                                "whole form, ImageNet weights, 224 pixels, averaged views; users 65.6 to 73.6 %")),
    network("patt_lite", "patch extraction and attention classifier", "patt_lite",
            published=Published(0.925, "https://arxiv.org/abs/2306.09626", "protocol not checked here")),
    network("cnn_self_attention", "CNN with self-attention", "cnn_self_attention"),
    network("cnn_grid_attention", "CNN with grid-wise attention", "cnn_grid_attention"),
    network("vit", "vision transformer", "vit"),
)  # fmt: skip
