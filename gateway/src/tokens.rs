//! Counting tokens where no provider has: for `count_tokens`, and for answers that came without usage.

use bytespike_dialects::{ClientRequest, request};

/// Tokens a message costs besides its text (role and delimiters), as OpenAI describes for its chat models.
const PER_MESSAGE_TOKENS: u64 = 4;
/// Tokens of an image whose size is unknown: a square of 1,092 pixels at 750 pixels a token (Anthropic, vision guide).
const UNKNOWN_IMAGE_TOKENS: u64 = 1_590;
/// Pixels of an image per token (Anthropic, vision guide).
const PIXELS_PER_TOKEN: u64 = 750;

/// How many tokens `text` is in the o200k encoding: exact for OpenAI's models, close for the others.
#[must_use]
pub fn of_text(text: &str) -> u64 {
    u64::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u64::MAX)
}

/// How many input tokens a request is: texts, tool declarations, images, and the frame around each message.
#[must_use]
pub fn of_request(request: &ClientRequest) -> u64 {
    let texts: u64 = request::for_counting(request).iter().map(|text| of_text(text)).sum();
    let frames = u64::from(request.messages).saturating_mul(PER_MESSAGE_TOKENS);
    texts.saturating_add(frames).saturating_add(of_images(request))
}

/// How many input tokens the images of a request are.
#[must_use]
pub fn of_images(request: &ClientRequest) -> u64 {
    request.media.iter().map(|media| media.pixels.map_or(UNKNOWN_IMAGE_TOKENS, of_pixels)).sum()
}

fn of_pixels((width, height): (u32, u32)) -> u64 {
    (u64::from(width) * u64::from(height)).div_ceil(PIXELS_PER_TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_both_scripts() {
        assert_eq!(of_text("Hello world"), 2);
        assert!((2..=4).contains(&of_text("你好，世界")));
        assert_eq!(of_text(""), 0);
    }

    #[test]
    fn an_image_is_its_area() {
        assert_eq!(of_pixels((1_092, 1_092)), 1_590);
        assert_eq!(of_pixels((1, 1)), 1);
    }
}
