# shellcheck shell=bash
# ffmpeg and ffprobe: the distribution's own.
# shellcheck disable=SC2034
ffmpeg_packages=(ffmpeg)

ffmpeg_part() {
    local inputs
    inputs=$(dpkg-query -W -f '${Version}' ffmpeg)
    fresh ffmpeg "$inputs" && return
    link_program ffmpeg
    link_program ffprobe
    done_with ffmpeg "$inputs"
}
