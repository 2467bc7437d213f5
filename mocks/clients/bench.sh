#!/usr/bin/env bash
# Our fake and its peers side by side on this machine: how fast they start, read and write, and how much memory they take.
#
#   mocks/clients/bench.sh [SECONDS]
#
# Needs `wrk` and `curl`, and nothing else to run beside it. Ours is built in release mode and runs as people run it:
# validation on, every write on disk before it is acknowledged. A peer (`moto_server`, `fakecloud`) is left out if it is
# not installed; neither of them keeps its state on disk by default.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-10}
port=4570
row='%-10s %10s %10s %10s %10s %10s %9s %12s %12s %13s\n'
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

for tool in wrk curl; do
  command -v "$tool" >/dev/null || { echo "error: $tool is not installed" >&2; exit 2; }
done

# A script for wrk: the same read again and again, or writes that each have a name of their own.
cat >"$work/read.lua" <<'LUA'
wrk.method = "POST"
wrk.body = '{"ModelPackageGroupName":"bench"}'
wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
wrk.headers["X-Amz-Target"] = "SageMaker.DescribeModelPackageGroup"
wrk.headers["X-Amz-Date"] = "20261126T000000Z"
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20261126/eu-west-1/sagemaker/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000"
LUA
sed -e '/^wrk.body/d' -e 's/Describe/Create/' "$work/read.lua" - >"$work/write.lua" <<'LUA'
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
local turn = 0
function request()
  turn = turn + 1
  return wrk.format(nil, nil, nil, string.format('{"ModelPackageGroupName":"w-%d-%d"}', id, turn))
end
LUA

# Requests per second, and how many were answered with an error.
load() { # SCRIPT SECONDS
  wrk -t2 -c8 -d"$2s" -s "$work/$1.lua" "http://127.0.0.1:$port/" |
    awk '/^Requests\/sec/ {rate = $2} /Non-2xx/ {bad = $NF} END {printf "%.0f/s", rate; if (bad) printf " (%d refused)", bad}'
}

memory() { awk '/^VmRSS/ {printf "%.0f MB", $2 / 1024}' "/proc/$server/status"; }

# Milliseconds since then, with a tenth.
since() { # EPOCHREALTIME
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 100))
  echo "$((tenths / 10)).$((tenths % 10)) ms"
}

# Starts a server, and says after how long its port was open, and after how long it answered.
start() { # COMMAND...
  local begin=$EPOCHREALTIME
  "$@" >"$work/log" 2>&1 &
  server=$!
  until { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  done
  open=$(since "$begin")
  printf 'GET / HTTP/1.0\r\n\r\n' >&3
  read -r _ <&3
  answers=$(since "$begin")
  exec 3>&-
}

stop() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

measure() { # NAME COMMAND...
  local name=$1
  shift
  start "$@"
  local opened=$open answered=$answers
  curl -sf "http://127.0.0.1:$port/" -H 'X-Amz-Target: SageMaker.CreateModelPackageGroup' \
    -H 'Content-Type: application/x-amz-json-1.1' \
    -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20261126/eu-west-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0' \
    -d '{"ModelPackageGroupName":"bench"}' >/dev/null
  local rest reads read writes
  rest=$(memory)
  reads=$(load read "$seconds")
  read=$(memory)
  # A million reads, where that does not take all day.
  local rate=${reads%%/*} million=-
  if [ "$rate" -gt 5000 ]; then
    load read $((1000000 / rate + 1)) >/dev/null
    million=$(memory)
  fi
  writes=$(load write "$seconds")
  local written
  written=$(memory)
  stop
  start "$@"
  printf "$row" "$name" "$opened" "$answered" "$answers" "$reads" "$writes" "$rest" "$read" "$million" "$written"
  stop
}

cargo build --quiet --release -p sagemaker-fake
ours=${CARGO_TARGET_DIR:-target}/release/sagemaker-fake

printf "$row" '' 'port open' answers 'next start' reads writes 'at rest' 'after reads' 'after 10^6' 'after writes'
measure ours "$ours" serve --port "$port" --state "$work/state"
for peer in moto_server fakecloud; do
  case $(command -v "$peer" || true),$peer in
  ,*) printf '%-10s not installed\n' "$peer" ;;
  *,moto_server) measure moto moto_server -H 127.0.0.1 -p "$port" ;;
  *,fakecloud) measure fakecloud fakecloud --addr "127.0.0.1:$port" ;;
  esac
done
