"""Write the rooms of a new application: `make new-app name=food_trace`.

Copies `tools/app_template`, and adds one line to the catalog. What it writes passes `make check`.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = Path(__file__).resolve().parent / "app_template"
# A name stands in every code, route and command of the application.
NAME_MAX = 24
CATALOG_MARK = "CIVIC: dict[str, str] = {\n"


def fill(text: str, name: str) -> str:
    """Put the name into a template, in its spellings."""
    words = name.split("_")
    for mark, value in {
        "@name@": name,
        "@title@": " ".join(words),
        "@Title@": " ".join(words).capitalize(),
        "@Class@": "".join(word.capitalize() for word in words),
    }.items():
        text = text.replace(mark, value)
    return text


def main() -> None:
    """Check the name, write the rooms, enter the application in the catalog."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > NAME_MAX:
        sys.exit("Say make new-app name=food_trace: lower-case words joined by underscores.")
    rooms = ROOT / "src" / "hansa" / "apps" / name
    tests = ROOT / "tests" / "apps" / name
    catalog = ROOT / "src" / "hansa" / "catalog.py"
    if rooms.exists() or tests.exists():
        sys.exit(f"There is already an application {name}: {rooms.relative_to(ROOT)}")
    rooms.mkdir(parents=True)
    tests.mkdir(parents=True)
    (tests / "__init__.py").touch()
    for template in sorted(TEMPLATE.glob("*.txt")):
        target = tests if template.name.startswith("test_") else rooms
        path = target / template.name.removesuffix(".txt")
        path.write_text(fill(template.read_text(encoding="utf-8"), name), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    title = fill("@Title@", name)
    listed = catalog.read_text(encoding="utf-8")
    entry = f'    "{name}": "{title}",\n'
    catalog.write_text(listed.replace(CATALOG_MARK, CATALOG_MARK + entry, 1), encoding="utf-8")
    print(f"added {name} to src/hansa/catalog.py")
    written = [str(rooms), str(tests), str(catalog)]
    for step in (["format", "-q"], ["check", "-q", "--fix"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, *written], check=True, cwd=ROOT)
    generate = [sys.executable, str(ROOT / "tools" / "generate_reference.py")]
    subprocess.run(generate, check=True, cwd=ROOT)
    print("Now: make check, then write its rules (and make reference after each change).")


if __name__ == "__main__":
    main()
