#!/usr/bin/env bash
# The same with curl: bash examples/client.sh http://127.0.0.1:8000
# With a token: export MEDFLAT_TOKEN=…
set -euo pipefail
address=${1:-http://127.0.0.1:8000}
ask() { curl --silent --show-error --fail-with-body --retry 3 -H "Authorization: Bearer ${MEDFLAT_TOKEN:-}" "$@"; echo; }
json='Content-Type: application/json'

ask "$address/health"
ask "$address/pipeline"
ask -H "$json" -d '{"text": "胸部CT见右肺下叶结节，伴咳嗽。", "floor": 0.05}' "$address/annotate"
ask -H "$json" -d '{"words": [{"word": "经皮肾镜", "type": ""}]}' "$address/lexicon"
ask --get --data-urlencode 'query=肾镜' "$address/lexicon"
ask -H "$json" -X DELETE -d '{"words": ["经皮肾镜"]}' "$address/lexicon"
ask -H "$json" -d '{"records": [{"text": "咳嗽", "entities": [{"start": 0, "end": 2, "label": "sym"}]}]}' \
  "$address/export?format=jsonl"
