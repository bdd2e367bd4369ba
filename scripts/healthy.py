"""Whether the web server of this container answers: asks /livez the way the proxy would."""

import os
import sys
import urllib.request

host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".").replace("*", "127.0.0.1")
question = urllib.request.Request(
    "http://127.0.0.1:8000/livez", headers={"Host": host or "127.0.0.1", "X-Forwarded-Proto": "https"}
)
with urllib.request.urlopen(question, timeout=4) as answer:
    sys.exit(answer.status != 200)
