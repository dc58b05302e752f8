// Package alert says when a run needs a look: a pool below K_safe, a frequency
// outside its band, a decision that came too late, a federate that was lost.
//
// A [Watch] observes a run and tells what begins and what is over. A
// [Dispatcher] takes that to people: a log, a webhook, Slack, mail. It works
// beside the run, which never waits for it.
package alert
