// Package etsi014 is the interface by which applications fetch key from a key
// management entity (KME): REST over HTTPS as in ETSI GS QKD 014 V1.1.1
// (2019-02).
//
//	GET       /api/v1/keys/{slave_SAE_ID}/status
//	GET POST  /api/v1/keys/{slave_SAE_ID}/enc_keys    new key, with its IDs
//	GET POST  /api/v1/keys/{master_SAE_ID}/dec_keys   the same key, by ID, once
//
// Who calls, its SAE ID, is what the caller proves; whom it shares key with
// stands in the path. Errors are {"message", "details"} with status 400 for a
// request that cannot be met as it is, 401 for a caller who is not known and
// 503 when key is short or its source is away.
//
// The package knows HTTP and the formats; where key comes from is behind Keys.
package etsi014
