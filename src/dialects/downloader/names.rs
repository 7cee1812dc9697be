//! What chat-downloader calls the parts of Twitch's lines, and what Twitch calls them.

/// A key's tag. Keys that the package does not know are tags with other strokes.
pub fn tag(key: &str) -> String {
    match RENAMED.iter().find(|(theirs, _)| *theirs == key) {
        Some((_, own)) => (*own).to_owned(),
        None if PARAMS.contains(&key) => format!("msg-param-{}", key.replace('_', "-")),
        None => key.replace('_', "-"),
    }
}

/// The kind of a message.
pub fn kind(name: &str) -> &str {
    renamed(&KINDS, name)
}

/// The tier of a subscription.
pub fn plan(name: &str) -> &str {
    renamed(&PLANS, name)
}

/// A set of badges.
pub fn badge(name: &str) -> &str {
    renamed(&SETS, name)
}

fn renamed<'a>(names: &[(&str, &'a str)], name: &'a str) -> &'a str {
    names.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, own)| own)
}

/// Its names for tags that are not the tag's own with other strokes.
const RENAMED: [(&str, &str); 25] = [
    ("message_id", "id"),
    ("native_id", "id"),
    ("author_id", "user-id"),
    ("channel_id", "room-id"),
    ("colour", "color"),
    ("is_vip", "vip"),
    ("is_first_message", "first-msg"),
    ("is_returning_chatter", "returning-chatter"),
    ("system_message", "system-msg"),
    ("target_message_id", "target-msg-id"),
    ("number_of_raiders", "msg-param-viewerCount"),
    ("profile_image_url", "msg-param-profileImageURL"),
    ("promotion_name", "msg-param-promo-name"),
    ("number_of_gifts_given_during_promo", "msg-param-promo-gift-total"),
    ("gift_recipient_id", "msg-param-recipient-id"),
    ("gift_recipient_display_name", "msg-param-recipient-display-name"),
    ("number_of_months_gifted", "msg-param-gift-months"),
    ("gift_months_being_redeemed", "msg-param-gift-month-being-redeemed"),
    ("number_of_consecutive_months_subscribed", "msg-param-streak-months"),
    ("subscription_plan_name", "msg-param-sub-plan-name"),
    ("bits_badge_tier", "msg-param-threshold"),
    ("was_anonymous_gift", "msg-param-anon-gift"),
    ("prior_gifter_name", "msg-param-prior-gifter-user-name"),
    ("raider_display_name", "msg-param-displayName"),
    ("raider_name", "msg-param-login"),
];

/// Tags of an alert's own, of which it only cut the beginning off.
const PARAMS: [&str; 23] = [
    "cumulative_months",
    "months",
    "sub_benefit_end_month",
    "ritual_name",
    "multimonth_duration",
    "multimonth_tenure",
    "was_gifted",
    "domain",
    "selected_count",
    "trigger_type",
    "trigger_amount",
    "total_reward_count",
    "origin_id",
    "sender_count",
    "mass_gift_count",
    "prior_gifter_anonymous",
    "prior_gifter_display_name",
    "prior_gifter_id",
    "fun_string",
    "charity",
    "charity_name",
    "charity_hashtag",
    "gifter_id",
];

/// Its names for kinds of messages.
const KINDS: [(&str, &str); 17] = [
    ("highlighted_message", "highlighted-message"),
    ("send_message_in_subscriber_only_mode", "skip-subs-mode-message"),
    ("bits_badge_tier", "bitsbadgetier"),
    ("subscription", "sub"),
    ("resubscription", "resub"),
    ("subscription_gift", "subgift"),
    ("anonymous_subscription_gift", "anonsubgift"),
    ("anonymous_mystery_subscription_gift", "anonsubmysterygift"),
    ("mystery_subscription_gift", "submysterygift"),
    ("extend_subscription", "extendsub"),
    ("standard_pay_forward", "standardpayforward"),
    ("community_pay_forward", "communitypayforward"),
    ("prime_community_gift_received", "primecommunitygiftreceived"),
    ("prime_paid_upgrade", "primepaidupgrade"),
    ("gift_paid_upgrade", "giftpaidupgrade"),
    ("reward_gift", "rewardgift"),
    ("anonymous_gift_paid_upgrade", "anongiftpaidupgrade"),
];

/// Its names for sets of badges, in which it bends every stroke; those that many people wear.
const SETS: [(&str, &str); 8] = [
    ("sub_gifter", "sub-gifter"),
    ("sub_gift_leader", "sub-gift-leader"),
    ("bits_leader", "bits-leader"),
    ("bits_charity", "bits-charity"),
    ("hype_train", "hype-train"),
    ("clip_champ", "clip-champ"),
    ("artist_badge", "artist-badge"),
    ("glhf_pledge", "glhf-pledge"),
];

/// Its names for tiers.
const PLANS: [(&str, &str); 3] = [("Tier 1", "1000"), ("Tier 2", "2000"), ("Tier 3", "3000")];
