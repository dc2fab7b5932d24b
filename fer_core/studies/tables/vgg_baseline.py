"""VGG from scratch, and one augmentation at a time."""

from fer_core.studies.reference import NET, REFERENCE
from fer_core.studies.rows import Published, network, register_table, viewed

SINGLE = ("none", "flip", "rotate", "shift", "zoom", "shear", "contrast", "brightness", "erase", "medium", "strong")

register_table(
    "vgg_baseline",
    "VGG baseline and augmentation",
    "What does VGG reach from scratch, and which augmentation is it that helps?",
    network("vgg", "VGG with three dense layers", "vgg",
            published=Published(0.7328, "https://arxiv.org/abs/2105.03588",
                                "ten-crop; the code validates on PrivateTest (usef-kh/fer)")),
    network("vgg16", "VGG-16", "vgg16"),
    network("vgg19", "VGG-19", "vgg19",
            published=Published(0.7311, "https://github.com/WuJie1010/Facial-Expression-Recognition.Pytorch",
                                "ten-crop of 44 pixels; best epoch on PrivateTest")),
    network("vgg_se", "VGG with squeeze-and-excitation, half width", "vgg_se"),
    REFERENCE,  # augmentation: light
    *(
        network(f"augmentation_{name}", f"quarter-width VGG-SE, augmentation: {name}", **NET, augmentation=name)
        for name in SINGLE
    ),
    network("augmentation_crop", "quarter-width VGG-SE, augmentation: random crops of 44", **NET,
            augmentation="none", crop=44),
    viewed("test_flip", "quarter-width VGG-SE, face and mirror image at test", "vgg_se_quarter", "flip"),
    viewed("test_ten_crop", "quarter-width VGG-SE, ten crops at test", "vgg_se_quarter", "ten_crop"),
    viewed("crop_ten_crop", "trained on crops of 44, ten of them at test", "augmentation_crop", "ten_crop"),
)  # fmt: skip
