"""The machine that figures were taken on."""

import os
import platform
import time
from pathlib import Path

import torch

from scripts.command import command_line


def begin_report(script: str, argv: list[str] | None) -> dict:
    """What says how, when and where figures were taken; they come after it."""
    return {
        "command": command_line(script, argv),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
    }


def describe_machine() -> dict:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    cpu = Path("/proc/cpuinfo")
    names = (
        [
            line.split(":")[1].strip()
            for line in cpu.read_text().splitlines()
            if line.startswith("model name")
        ]
        if cpu.exists()
        else [platform.processor()]
    )
    return {
        "cpu": names[0],
        "cores": os.cpu_count(),
        "cuda": device,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
