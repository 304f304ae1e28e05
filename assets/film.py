#!/usr/bin/env python3
"""Makes one animated SVG of screens that the console saved with `w`: film.py SECONDS STILL FRAME.svg ... > film.svg

Each frame is shown for SECONDS. Without animation, the frame with the number STILL (from 0) is visible. Elements that several
frames share are written once. The last line of the screen is that of the first frame: in the others it says that a file was
saved.
"""
import re
import sys

seconds, still = float(sys.argv[1]), int(sys.argv[2])
frames = [open(path, encoding="utf-8").read().splitlines() for path in sys.argv[3:]]
head, body = frames[0][:3], [frame[3:-2] for frame in frames]
assert all(frame[:3] == head for frame in frames), "the frames differ in size or theme"
footer = int(re.search(r'height="(\d+)"', head[0])[1]) - 16 - 17


def top(element):
    """Returns the line of an element in pixels."""
    return int(re.search(r' y="(\d+)"| d="M\d+ (\d+)', element).expand(r"\1\2"))


places = {}
for number, elements in enumerate(body):
    kept = [element for element in elements if top(element) < footer]
    for element in kept + [element for element in body[0] if top(element) >= footer]:
        places.setdefault(element, set()).add(number)

# Backgrounds first, letters last, as in each frame.
groups = {}
for element, shown in places.items():
    layer = ["<rect", "<path", "<text"].index(element[:5])
    groups.setdefault((layer, tuple(sorted(shown))), []).append(element)

print("\n".join(head))
for (_, shown), elements in sorted(groups.items()):
    hidden = "" if still in shown else ' visibility="hidden"'
    print("\n".join([f"<g{hidden}>"] + elements))
    if len(shown) < len(frames):
        states = ["visible" if number in shown else "hidden" for number in range(len(frames))]
        changes = [number for number in range(len(frames)) if number == 0 or states[number] != states[number - 1]]
        values = ";".join(states[number] for number in changes)
        times = ";".join(f"{number / len(frames):.4g}" for number in changes)
        print(
            f'<animate attributeName="visibility" values="{values}" keyTimes="{times}" '
            f'dur="{seconds * len(frames):g}s" calcMode="discrete" repeatCount="indefinite"/>'
        )
    print("</g>")
print("</g>\n</svg>")
