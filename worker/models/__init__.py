"""Models: the only room that knows ONNX Runtime."""
