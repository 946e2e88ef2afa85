# shellcheck shell=bash
# The local voice: the distribution's espeak-ng.
# shellcheck disable=SC2034
voice_packages=(espeak-ng)

voice_part() {
    local inputs
    inputs=$(dpkg-query -W -f '${Version}' espeak-ng)
    fresh voice "$inputs" && return
    link_program espeak-ng
    done_with voice "$inputs"
}
