"""The command line: one thin command per library call.

Exit codes: 0 fine, 2 your input, 3 solver gave up, 1 our bug.
"""

from __future__ import annotations

import errno
import signal
import sys


def main() -> None:
    """Run the command line; errors become one message and an exit code."""
    from equipoise.core.errors import EquipoiseError

    try:
        from equipoise.cli.app import app
        from equipoise.cli.terminal import say_it_plainly

        say_it_plainly()
        if hasattr(signal, "SIGPIPE"):  # `equipoise design ... | head` ends quietly
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        app()
    except EquipoiseError as error:
        sys.stderr.write(f"equipoise: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # e.g. `equipoise design ... | head`
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.stderr.write("equipoise: interrupted; finished files are kept\n")
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"equipoise: cannot write: {error.strerror}\n")
        sys.exit(2)
    except Exception:
        import traceback

        traceback.print_exc()
        sys.stderr.write(
            "equipoise: this is a bug in equipoise, not in your input; please report "
            "it with the lines above and the command\n"
        )
        sys.exit(1)
