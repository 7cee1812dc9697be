"""Prints what chat_downloader hears at one address, a JSON object per line.

Why it ends is one JSON object on standard error, and exit code 1. It never tries again for long: whoever started it does.
"""

import json
import sys

# Its own waits between them double from one second on.
ATTEMPTS = 5


def listen(address):
    # Here, so that a package that is missing is told like everything else.
    from chat_downloader import ChatDownloader

    chat = ChatDownloader().get_chat(
        address, message_groups=["all"], max_attempts=ATTEMPTS, interruptible_retry=False
    )
    for message in chat:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


try:
    listen(sys.argv[1])
except Exception as error:
    reason = {"error": type(error).__name__, "message": str(error)}
    sys.exit(json.dumps(reason))
