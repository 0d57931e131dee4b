//! What an event says, in the reader's language. An event or a field that has no words yet is shown as it is stored.
use bytespike_ui::Locale;

/// What events are about, as the filter offers them: the start of their names, and the word for it.
pub(super) fn things(locale: Locale) -> [(&'static str, &'static str); 9] {
    let t = &locale.t().people.thing;
    [
        ("key.", t.key),
        ("limit.", t.limit),
        ("member.", t.member),
        ("invitation.", t.invitation),
        ("org.", t.org),
        ("deployment.", t.deployment),
        ("service_account.", t.service_account),
        ("oauth.", t.oauth),
        ("oauth_client.", t.oauth_client),
    ]
}

pub(super) fn event(locale: Locale, name: &str) -> Option<&'static str> {
    let t = &locale.t().people.event;
    Some(match name {
        "key.created" => t.key_created,
        "key.renamed" => t.key_renamed,
        "key.changed" => t.key_changed,
        "key.rotated" => t.key_rotated,
        "key.enabled" => t.key_enabled,
        "key.disabled" => t.key_disabled,
        "key.revoked" => t.key_revoked,
        "key.deleted" => t.key_deleted,
        "limit.set" => t.limit_set,
        "limit.removed" => t.limit_removed,
        "org.created" => t.org_created,
        "org.renamed" => t.org_renamed,
        "org.preset_changed" => t.org_preset_changed,
        "org.time_zone_changed" => t.org_time_zone_changed,
        "org.alerts_changed" => t.org_alerts_changed,
        "org.transferred" => t.org_transferred,
        "member.joined" => t.member_joined,
        "member.role_changed" => t.member_role_changed,
        "member.removed" => t.member_removed,
        "member.left" => t.member_left,
        "invitation.sent" => t.invitation_sent,
        "invitation.resent" => t.invitation_resent,
        "invitation.revoked" => t.invitation_revoked,
        "deployment.created" => t.deployment_created,
        "deployment.renamed" => t.deployment_renamed,
        "deployment.archived" => t.deployment_archived,
        "service_account.created" => t.service_account_created,
        "service_account.renamed" => t.service_account_renamed,
        "service_account.removed" => t.service_account_removed,
        "person.signed_in" => t.person_signed_in,
        "person.email_verified" => t.person_email_verified,
        "oauth.allowed" => t.oauth_allowed,
        "oauth.denied" => t.oauth_denied,
        "oauth.disconnected" => t.oauth_disconnected,
        "oauth.family_ended" => t.oauth_family_ended,
        "oauth.refresh_reused" => t.oauth_refresh_reused,
        "oauth.revoked_by_program" => t.oauth_revoked_by_program,
        "oauth_client.registered" => t.oauth_client_registered,
        "oauth_client.ended" => t.oauth_client_ended,
        _ => return None,
    })
}

pub(super) fn field(locale: Locale, name: &str) -> Option<&'static str> {
    let t = &locale.t().people.field;
    let keys = &locale.t().keys.window;
    Some(match name {
        "name" => t.name,
        "role" => t.role,
        "state" => t.state,
        "preset" => t.preset,
        "time_zone" => t.time_zone,
        "email" => t.email,
        "owner" => t.owner,
        "keys_revoked" => t.keys_revoked,
        "month" => keys.month,
        "lifetime" => keys.lifetime,
        "7d" => keys.seven_days,
        "1d" => keys.one_day,
        "5h" => keys.five_hours,
        "requests_per_minute" => t.requests_per_minute,
        "concurrent_calls" => t.concurrent_calls,
        "credits_per_call" => t.credits_per_call,
        _ => return None,
    })
}
