//! Bytes that a voice returned become samples.

use std::io::Cursor;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::VoiceError;

/// Of all sound in the house: 15, 30 and 60 frames per second divide it.
pub const SAMPLE_RATE: u32 = 48_000;
/// Quieter than this at the ends counts as silence (-50 dBFS).
const SILENCE: f32 = 0.003_16;
/// Kept before the first and after the last sound, so that no consonant is cut: 30 ms.
const MARGIN: usize = SAMPLE_RATE as usize * 30 / 1000;

fn bad(reason: impl ToString) -> VoiceError {
    VoiceError::NotDecodable(reason.to_string())
}

/// Decodes a sound file of any kind that is read here to mono at 48 kHz, silence at both ends trimmed.
///
/// # Errors
/// [`VoiceError::NotDecodable`], also when there is no sound in it.
pub fn decode(bytes: Vec<u8>) -> Result<Vec<f32>, VoiceError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(bad)?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| bad("there is no sound track"))?;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| bad("the sound track says nothing of its codec"))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(bad)?;
    let track_id = track.id;
    let (mut mono, mut rate, mut block) = (Vec::new(), 0, Vec::<f32>::new());
    while let Some(packet) = format.next_packet().map_err(bad)? {
        if packet.track_id != track_id {
            continue;
        }
        let sound = decoder.decode(&packet).map_err(bad)?;
        let channels = sound.spec().channels().count().max(1);
        if rate == 0 {
            rate = sound.spec().rate();
        } else if rate != sound.spec().rate() {
            return Err(bad("the sample rate changes midway"));
        }
        sound.copy_to_vec_interleaved(&mut block);
        mono.extend(block.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
    }
    if mono.is_empty() {
        return Err(bad("it holds no samples"));
    }
    let mut samples = resample(mono, rate)?;
    trim(&mut samples)?;
    Ok(samples)
}

fn resample(mono: Vec<f32>, rate: u32) -> Result<Vec<f32>, VoiceError> {
    if rate == SAMPLE_RATE {
        return Ok(mono);
    }
    // Chunks of about 20 ms; the length is a matter of speed only.
    let mut resampler = Fft::<f32>::new(rate as usize, SAMPLE_RATE as usize, 1024, 1, FixedSync::Both).map_err(bad)?;
    let frames = mono.len();
    let input = InterleavedSlice::new(&mono, 1, frames).map_err(bad)?;
    Ok(resampler.process_all(&input, frames, None).map_err(bad)?.take_data())
}

fn trim(samples: &mut Vec<f32>) -> Result<(), VoiceError> {
    let loud = |sample: &f32| sample.abs() > SILENCE;
    let first = samples.iter().position(loud).ok_or_else(|| bad("it is silent"))?;
    let last = samples.iter().rposition(loud).unwrap_or(first);
    samples.truncate((last + 1 + MARGIN).min(samples.len()));
    samples.drain(..first.saturating_sub(MARGIN));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file of 16-bit samples.
    fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut file = b"RIFF".to_vec();
        file.extend((36 + data.len() as u32).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * u32::from(channels) * 2).to_le_bytes());
        file.extend((channels * 2).to_le_bytes());
        file.extend(b"\x10\0data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    fn tone(rate: u32, seconds: f64) -> Vec<i16> {
        let count = (f64::from(rate) * seconds) as u32;
        (0..count)
            .map(|n| (12_000.0 * (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin()) as i16)
            .collect()
    }

    #[test]
    fn a_second_stays_a_second_and_its_pitch_and_level_stay() {
        let samples = decode(wav(22_050, 1, &tone(22_050, 1.0))).unwrap();
        assert!(samples.len().abs_diff(48_000) < 200, "{}", samples.len());
        let crossings = samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!(crossings.abs_diff(440) <= 2, "{crossings}");
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 12_000.0 / 32_768.0).abs() < 0.02, "{peak}");
    }

    #[test]
    fn silence_at_the_ends_is_trimmed_to_the_margin() {
        let mut padded = vec![0_i16; 24_000];
        padded.extend(tone(48_000, 0.5));
        padded.extend(vec![0_i16; 24_000]);
        let samples = decode(wav(48_000, 1, &padded)).unwrap();
        assert!(samples.len().abs_diff(24_000 + 2 * MARGIN) < 100, "{}", samples.len());
    }

    #[test]
    fn two_channels_become_one() {
        let stereo: Vec<i16> = tone(48_000, 0.25).into_iter().flat_map(|sample| [sample, sample]).collect();
        assert!(decode(wav(48_000, 2, &stereo)).unwrap().len().abs_diff(12_000) < 100);
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        for bytes in [b"<html>429</html>".to_vec(), Vec::new(), wav(48_000, 1, &[]), wav(48_000, 1, &[0; 4800])] {
            assert!(matches!(decode(bytes), Err(VoiceError::NotDecodable(_))));
        }
    }
}
