#!/usr/bin/env bash
# Fuzzes the planner, or what the handler reads of others: fuzz.sh SECONDS [TARGET …], for each target so long.
#
# Comes in: planner-wasm/fuzz and handler/fuzz, the fixtures as seeds, what earlier runs found (their folders corpus, an archive for each
# target). Without targets, the planner's six; the handler's (clip answers status events requests) take a build of all of it.
# Goes out: these archives, with what was found now; on a fault the input in target/fuzz/artifacts and exit code 1. Never: a run
# without an end.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=../.ci/packages.sh
source "$root/.ci/packages.sh"
seconds=${1:-60}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(lesson plan notebook storyboard program formula)
work=$root/target/fuzz

if [[ ! -x $work/bin/cargo-fuzz ]]; then
    say "installing cargo-fuzz"
    cargo install --quiet --locked --root "$work" cargo-fuzz >&2
fi

# What each format is seeded with.
seeds() {
    local fixtures=$root/tests/fixtures
    case $1 in
        lesson) echo "$fixtures"/lessons/*.md "$fixtures"/as-written/*.md ;;
        plan) echo "$fixtures"/plans/*.json "$fixtures"/as-written/*.json ;;
        notebook) echo "$fixtures"/as-written/*.ipynb ;;
        storyboard) echo "$fixtures"/storyboards/*.json ;;
        program) echo "$fixtures"/lessons/*.py ;;
        formula) ;;
        clip) echo "$fixtures"/clips/*.mp4 ;;
        answers) echo "$fixtures"/answers/*.jsonl ;;
        status) echo "$fixtures"/status/*.json ;;
        events | requests) echo "$fixtures"/events/*.json ;;
    esac
}

fuzz() {
    # The sanitizer is part of every toolchain; only its flag is not stable. What the handler reads with has no unsafe code to look into.
    local sanitizer=address
    [[ $fuzz != */handler/* ]] || sanitizer=none
    (cd "$fuzz" && PATH=$work/bin:$PATH RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer "$sanitizer" --fuzz-dir "$fuzz" --target-dir "$work/target" "$@" -timeout=10 \
        -rss_limit_mb=2048 -verbosity=0 -artifact_prefix="$work/artifacts/$1/")
}

for target in "${targets[@]}"; do
    fuzz=$root/planner-wasm/fuzz
    [[ ! -f $root/handler/fuzz/targets/$target.rs ]] || fuzz=$root/handler/fuzz
    known=$work/known/$target found=$work/found/$target kept=$work/kept/$target archive=$fuzz/corpus/$target.tar.xz
    rm -rf "$known" "$kept"
    mkdir -p "$known" "$found" "$kept" "$work/artifacts/$target" "$fuzz/corpus"
    [[ ! -f $archive ]] || tar -C "$known" -xJf "$archive"
    for seed in $(seeds "$target"); do [[ ! -f $seed ]] || cp "$seed" "$known/"; done
    if [[ $target == formula ]]; then split -l 1 -a 4 "$root/tests/fixtures/formulas.txt" "$known/"; fi
    say "$target, $seconds seconds"
    fuzz "$target" "$found" "$known" -- -max_total_time="$seconds" -max_len=65536 -print_final_stats=1
    # The smallest set that reaches as much.
    fuzz "$target" "$kept" "$known" "$found" -- -merge=1
    tar -C "$kept" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cJf "$archive" .
done
