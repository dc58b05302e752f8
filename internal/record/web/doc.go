// Package web shows a run in a browser while it goes on: a page from embedded
// assets, and the stream that it draws.
//
//	Scene    what of a run does not change: network, chains, limits
//	Feed     an observer that keeps what a page shows, in bounded memory
//	Stream   one browser's view of a feed, ten times a second
//	Assets   the page, with a strict content security policy
//
// A feed has no queues. Each stream takes from it what has changed since it
// last did, when its browser has taken what came before: a slow browser gets
// fewer and larger pieces, and the run never waits for it. What the page shows
// is no result; where it is coarser than the record it says so.
package web
