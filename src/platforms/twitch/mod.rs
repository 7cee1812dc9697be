//! Twitch: IRC over WebSocket, read without a key.
