"""Build what Lambda runs: ``python -m infra.artifact``.

python -m infra.artifact DIRECTORY          what Lambda gets
python -m infra.artifact DIRECTORY --host   the same for this machine and this Python, to try it out
"""

import subprocess
import sys
from pathlib import Path

from infra.artifact.build import LAMBDA_PLATFORM, build, say
from infra.command_line import Parser


def main() -> int:
    parser = Parser(prog="python -m infra.artifact", description="Build what Lambda runs.")
    parser.add_argument("directory", type=Path, help="where to put it")
    parser.add_argument("--host", action="store_true", help="for this machine and this Python instead of Lambda's")
    arguments = parser.parse_args()
    try:
        build(arguments.directory, () if arguments.host else LAMBDA_PLATFORM)
    except subprocess.CalledProcessError as failed:
        say(f"{Path(failed.cmd[0]).name} -m {failed.cmd[2]} failed; its own message is above.")
        return 1
    except OSError as fault:
        say(str(fault))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
