#!/usr/bin/env bash
# The daemon with curl: start a command, look at it, end it.
#
#   URL=http://127.0.0.1:7777 TOKEN=$(npx nohupd token) test/examples/daemon.sh
set -euo pipefail

ask() {
	curl --silent --show-error --fail-with-body --header "Authorization: Bearer $TOKEN" \
		--header 'Content-Type: application/json' --request "$1" "$URL$2" "${@:3}"
	echo
}

# One field of a JSON object; jq does this better where it is installed.
field() {
	sed --regexp-extended "s/.*\"$1\":\"([^\"]*)\".*/\1/"
}

echo '# Run a command and wait for it'
ask POST /commands/run --data '{"command": "echo hello; echo oops >&2; exit 3"}'

echo '# Start one in the background; the key makes a retry safe'
id=$(ask POST /commands/background --header "Idempotency-Key: example-$$" \
	--data '{"command": "sleep 600", "name": "nap", "timeout": 3600}' | field process_id)
echo "$id"

echo '# What runs'
ask GET '/execute/processes?status=running&name=nap&tail_bytes=0'

echo '# End it, with all that it started'
ask DELETE /execute/kill --data "{\"process_id\": \"$id\"}"
