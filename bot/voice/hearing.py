"""The process that hears one voice: python -m bot.voice.hearing FOLDER LANGUAGE SECONDS < voice.

It prints one line of JSON: {"text": ...}, {"unfit": why} or {"error": why}. It has no network to
use: the model is a folder, and the hub is told to be offline.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

import faster_whisper  # the extra [voice]

THREADS = 2
_SILENT = 0.6  # a segment that is more likely silence ...
_UNSURE = -1.0  # ... and whose words are guessed, is not believed


def main(folder: str, language: str, seconds: int) -> dict[str, str]:
    """What is said in the voice on standard input."""
    # If nobody waits for us any more, we end all the same.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds * THREADS, seconds * THREADS + 5))
    try:
        model = faster_whisper.WhisperModel(
            folder,
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
            local_files_only=True,
        )
    except Exception:
        return {"error": "no_model"}
    try:
        return {"text": _hear(model, sys.stdin.buffer.read(), language)}
    except Exception:
        return {"unfit": "unheard"}


def _hear(model: Any, content: bytes, language: str) -> str:
    segments, _about = model.transcribe(
        io.BytesIO(content),
        language=language,
        beam_size=5,
        vad_filter=True,  # what is no speech is not heard at all
        condition_on_previous_text=False,  # one invented sentence does not call for the next
    )
    kept = [each for each in segments if not _is_guessed(each)]
    return " ".join(each.text.strip() for each in kept)


def _is_guessed(segment: Any) -> bool:
    return bool(segment.no_speech_prob > _SILENT and segment.avg_logprob < _UNSURE)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))) + "\n")
