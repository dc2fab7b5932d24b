"""The attentional CNN with its spatial transformer, and other kinds of attention in that place."""

from fer_core.studies.rows import Published, network, register_table

register_table(
    "attentional_cnn",
    "Attentional CNN and its updates",
    "What does a small CNN gain from a spatial transformer, and what from other attention in its place?",
    network(
        "deep_emotion", "spatial transformer", "deep_emotion",
        published=Published(0.7002, "https://arxiv.org/abs/1902.01019",
                            "users of a re-implementation 47 to 52 % (omarsayed7/Deep-Emotion, issues 4 and 15)"),
    ),
    network("deep_emotion_self_attention", "self-attention instead", "deep_emotion_self_attention"),
    network("deep_emotion_region", "region attention instead", "deep_emotion_region"),
    network("deep_emotion_grid", "grid-wise attention instead", "deep_emotion_grid"),
    network("deep_emotion_se", "squeeze-and-excitation instead", "deep_emotion_se"),
)  # fmt: skip
