"""The demo: a photo in; faces, emotions and explanations out (Gradio)."""
