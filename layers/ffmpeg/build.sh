#!/usr/bin/env bash
# ffmpeg from its source, in the build root, with shared libraries: PyAV draws with the same ones.
#
# All filters; of the formats and codecs those that lessons, voices and Manim programs bring, and that films are made of. No
# network and no devices. configure says nothing of names that it does not know, so what was asked for is looked at in the end.
set -euo pipefail
cd /work/ffmpeg
list() { local IFS=,; echo "$*"; }
decoders=(h264 hevc vp8 vp9 av1 mpeg4 mpeg2video mjpeg png apng gif webp bmp tiff rawvideo qtrle prores ffv1 wrapped_avframe aac aac_latm
    ac3 eac3 mp1 mp2 mp3 mp3float opus vorbis flac alac pcm_\* adpcm_ima_wav adpcm_ms srt subrip ass ssa movtext webvtt text)
encoders=(libx264 libx264rgb aac libmp3lame libopus opus flac alac pcm_\* png apng mjpeg gif bmp tiff rawvideo qtrle prores_ks ffv1 mpeg4
    wrapped_avframe movtext subrip srt webvtt ass ssa text libvpx_vp8 libvpx_vp9)
demuxers=(aac ac3 aiff apng ass avi caf concat eac3 ffmetadata flac flv gif h264 hevc image2 image2pipe image_\*_pipe ivf m4v matroska mov
    mp3 mpegps mpegts ogg pcm_\* rawvideo srt w64 wav webvtt yuv4mpegpipe)
muxers=(adts aiff apng ass avi caf crc dash ffmetadata flac flv framecrc framehash framemd5 gif h264 hash hls image2 image2pipe ipod ivf
    latm m4v matroska md5 mov mp3 mp4 mpegts null ogg opus pcm_\* rawvideo segment srt stream_segment streamhash tee w64 wav webm webvtt
    yuv4mpegpipe)
protocols=(file pipe fd concat concatf data cache subfile md5 tee)
# The linker reads this itself; on a command line, configure and make would each eat the dollar.
export LD_RUN_PATH='$ORIGIN/../lib'
./configure --prefix=/opt --enable-gpl --enable-version3 --enable-shared --disable-static --disable-doc --disable-debug --disable-ffplay \
    --disable-autodetect --enable-{zlib,libx264,libmp3lame,libopus,libvpx,libass,libfreetype,libharfbuzz,libfontconfig} \
    --disable-{network,devices,hwaccels,vulkan,decoders,encoders,demuxers,muxers,protocols} --enable-indev=lavfi \
    --enable-decoder="$(list "${decoders[@]}")" --enable-encoder="$(list "${encoders[@]}")" \
    --enable-demuxer="$(list "${demuxers[@]}")" --enable-muxer="$(list "${muxers[@]}")" --enable-protocol="$(list "${protocols[@]}")" \
    --extra-cflags=-g0 --extra-ldflags=-Wl,--disable-new-dtags
make -s "-j$JOBS"
make -s install
# Not `grep -q`: it would leave objdump with a closed pipe.
objdump -p /opt/bin/ffmpeg | grep -F 'RPATH                $ORIGIN/../lib' >/dev/null || { echo "ffmpeg would not find its libraries"; exit 1; }

has() { # has -encoders NAME…
    local kind=$1 name have
    shift
    have=$(/opt/bin/ffmpeg -hide_banner "$kind" | awk '{print $2}' | tr , '\n')
    for name in "$@"; do grep -qx -- "$name" <<<"$have" || { echo "this ffmpeg has no $name in its $kind"; exit 1; }; done
}
has -encoders libx264 aac libmp3lame libopus pcm_s16le png mjpeg mov_text libvpx-vp9
has -decoders h264 aac mp3float opus vorbis flac png gif
has -filters ass aresample ebur128 loudnorm scale
has -muxers mp4 mov framecrc s16le null webvtt srt
has -demuxers concat ffmetadata srt s16le
has -devices lavfi
