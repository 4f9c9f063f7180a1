"""Makes types.safetensors with the format's own implementation, for open_test.go.

    python -m venv venv && venv/bin/pip install torch safetensors
    venv/bin/python make_goldens.py
"""

import pathlib

import torch
from safetensors.torch import save_file

values = [0.0, -1.5, 65504.0, 2.0**-24, float("inf")]
save_file(
    {
        "f64": torch.tensor(values, dtype=torch.float64),
        "f32": torch.tensor([values, [0.1, 1e-45, 3.4028235e38, -0.0, 1.0]], dtype=torch.float32),
        "f16": torch.tensor(values, dtype=torch.float16),
        "bf16": torch.tensor(values, dtype=torch.bfloat16),
        "i64": torch.tensor([-1, 2**62], dtype=torch.int64),
        "i32": torch.tensor([-1], dtype=torch.int32),
        "i16": torch.tensor([-1], dtype=torch.int16),
        "i8": torch.tensor([-1], dtype=torch.int8),
        "u8": torch.tensor([[[255]]], dtype=torch.uint8),
        "bool": torch.tensor([True, False], dtype=torch.bool),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 3),
    },
    pathlib.Path(__file__).parent / "types.safetensors",
    {"format": "pt"},
)
