//! The form of an announcement: both languages, where, and from when to when, in UTC.
use super::{level, place};
use crate::forms::Form;
use bytespike_accounts::announcements::{Announcement, AnnouncementError, Level, NewAnnouncement, Place};
use bytespike_ui::components::{Field, Select, SelectOption, TextArea};
use bytespike_ui::{AnnouncementLevel, Locale, Visit, layout};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use leptos::prelude::*;

/// What was typed, with its moments read.
pub(super) struct Typed {
    level: Level,
    place: Place,
    text_en: String,
    text_zh: String,
    link: String,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
}

impl Typed {
    pub fn borrowed(&self) -> NewAnnouncement<'_> {
        NewAnnouncement {
            level: self.level,
            place: self.place,
            text_en: &self.text_en,
            text_zh: &self.text_zh,
            link: &self.link,
            from_ms: self.from_ms,
            until_ms: self.until_ms,
        }
    }
}

pub(super) fn blank() -> Form {
    Form::filled([("level", "information".to_owned()), ("place", "all".to_owned())])
}

pub(super) fn filled(one: &Announcement) -> Form {
    Form::filled([
        ("level", one.level.as_str().to_owned()),
        ("place", one.place.as_str().to_owned()),
        ("text_en", one.text_en.clone()),
        ("text_zh", one.text_zh.clone()),
        ("link", one.link.clone().unwrap_or_default()),
        ("from", written(one.from_ms)),
        ("until", one.until_ms.map(written).unwrap_or_default()),
    ])
}

/// What was typed; nothing, with a fault beside its field, when a moment cannot be read or a text is missing.
pub(super) fn read(form: &mut Form, locale: Locale) -> Option<Typed> {
    let t = &locale.t().announcements.form;
    let mut moment = |field: &'static str| {
        let typed = form.value(field).trim().to_owned();
        let read = if typed.is_empty() { Some(None) } else { moment_ms(&typed).map(Some) };
        if read.is_none() {
            form.refuse(field, t.time_fault);
        }
        read
    };
    let (from_ms, until_ms) = (moment("from"), moment("until"));
    for field in ["text_en", "text_zh"] {
        if form.value(field).trim().is_empty() {
            form.refuse(field, t.text_fault);
        }
    }
    if form.has_faults() {
        return None;
    }
    Some(Typed {
        level: Level::parse(form.value("level")),
        place: Place::parse(form.value("place")),
        text_en: form.value("text_en").to_owned(),
        text_zh: form.value("text_zh").to_owned(),
        link: form.value("link").to_owned(),
        from_ms: from_ms?,
        until_ms: until_ms?,
    })
}

pub(super) fn refuse(form: &mut Form, locale: Locale, error: &AnnouncementError) {
    let t = &locale.t().announcements.form;
    match error {
        AnnouncementError::English => form.refuse("text_en", t.text_fault),
        AnnouncementError::Chinese => form.refuse("text_zh", t.text_fault),
        AnnouncementError::Link => form.refuse("link", t.link_fault),
        AnnouncementError::Until | AnnouncementError::Unknown | AnnouncementError::Unavailable(_) => {
            form.refuse("until", t.until_fault);
        }
    }
}

pub(super) fn fields(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().announcements.form;
    let levels = Level::ALL.into_iter().rev().map(|one| SelectOption::new(one.as_str(), level(visit, one)));
    let places = Place::ALL.map(|one| SelectOption::new(one.as_str(), place(visit, one)));
    view! {
        <Select id="level" label=t.level options=levels.collect() selected=form.value("level").to_owned()/>
        <Select id="place" label=t.place options=places.into_iter().collect() selected=form.value("place").to_owned()/>
        <TextArea
            id="text_en" label=t.text_en hint=t.text_hint.to_owned() value=form.value("text_en").to_owned()
            nostrip:fault=form.fault("text_en") rows=3
        />
        <TextArea
            id="text_zh" label=t.text_zh value=form.value("text_zh").to_owned()
            nostrip:fault=form.fault("text_zh") rows=3
        />
        <Field
            id="link" label=t.link hint=t.link_hint.to_owned() value=form.value("link")
            nostrip:fault=form.fault("link") max_length=300 autocomplete="off"
        />
        <Field
            id="from" label=t.from hint=t.from_hint.to_owned() value=form.value("from")
            nostrip:fault=form.fault("from") max_length=30 autocomplete="off"
        />
        <Field
            id="until" label=t.until hint=t.until_hint.to_owned() value=form.value("until")
            nostrip:fault=form.fault("until") max_length=30 autocomplete="off"
        />
    }
    .into_any()
}

/// As readers of either language would see it.
pub(super) fn preview(visit: &Visit, form: &Form) -> AnyView {
    let shown = bytespike_ui::Announcement {
        id: String::new(),
        level: match Level::parse(form.value("level")) {
            Level::Incident => AnnouncementLevel::Incident,
            Level::Warning => AnnouncementLevel::Warning,
            Level::Information => AnnouncementLevel::Information,
        },
        surface: None,
        en: form.value("text_en").to_owned(),
        zh: form.value("text_zh").to_owned(),
        link: Some(form.value("link").trim().to_owned()).filter(|link| link.starts_with(['/', 'h'])),
    };
    let looks = Locale::ALL.map(|locale| {
        let visit = Visit { locale, ..visit.clone() };
        let banner = layout::announced(&visit, std::slice::from_ref(&shown), |_| None);
        view! { <div lang=locale.tag()>{banner}</div> }
    });
    let t = &visit.t().announcements.form;
    view! { <section class="stack"><h2>{t.preview_title}</h2>{looks.into_iter().collect_view()}</section> }
        .into_any()
}

pub(super) fn text(one: &Announcement, locale: Locale) -> &str {
    match locale {
        Locale::En => &one.text_en,
        Locale::Zh => &one.text_zh,
    }
}

/// `2026-11-26 08:00`, in UTC; seconds and a `T` may stand there too.
fn moment_ms(typed: &str) -> Option<i64> {
    let at: DateTime = typed.trim_end_matches('Z').replace(' ', "T").parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn written(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_back_as_they_are_written() {
        let at_ms = moment_ms("2026-11-26 08:05").expect("a moment");
        assert_eq!(written(at_ms), "2026-11-26 08:05");
        assert_eq!(moment_ms("2026-11-26T08:05:00Z"), Some(at_ms));
        assert_eq!(moment_ms("tomorrow"), None);
    }
}
