"""A CNN-LSTM, and what is done to its data: sampling, weights, cleaning.

Claims of 82.7 % for such a network count a test set that was cleaned and re-sampled with the training set;
`scripts.protocols` shows what that alone is worth.
"""

from fer_core.studies.rows import network, register_table

register_table(
    "data_centric",
    "Data-centric CNN-LSTM",
    "How far do sampling, class weights and cleaning carry one architecture, when the test sets stay as they are?",
    network("cnn_lstm", "CNN-LSTM, the data as it is", "cnn_lstm"),
    network("cnn_lstm_weights", "with class weights", "cnn_lstm", class_weights="inverse"),
    network("cnn_lstm_balanced", "with a weighted sampler", "cnn_lstm", sampler="balanced"),
    network("cnn_lstm_oversample", "with random oversampling", "cnn_lstm", sampler="oversample"),
    network("cnn_lstm_undersample", "with random undersampling", "cnn_lstm", sampler="undersample"),
    network("cnn_lstm_smote", "with SMOTE", "cnn_lstm", sampler="smote"),
    network("cnn_lstm_clean", "without conflicting twins and non-faces", "cnn_lstm", clean="conflicting,non_faces"),
    network("cnn_bilstm", "read both ways", "cnn_bilstm"),
    network("cnn_gru", "with GRU cells", "cnn_gru"),
    network("cnn_lstm_attention", "with attention over the steps", "cnn_lstm_attention"),
    network("cnn_mhsa", "multi-head self-attention, 8 heads of 8", "cnn_mhsa"),
    network("cnn_mhsa_wide", "multi-head self-attention, 8 heads of 32", "cnn_mhsa", model_options={"key_dim": 32}),
)
