package main

import (
	"context"
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"time"

	dbm "github.com/cometbft/cometbft-db"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtmath "github.com/cometbft/cometbft/libs/math"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	dbs "github.com/cometbft/cometbft/light/store/db"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
)

const lightChainID = "hansa-light"

type lightBlock struct {
	Commit     commit      `json:"commit"`
	Header     header      `json:"header"`
	Validators []validator `json:"validators"`
}

// One step: `verdict` is that of light.Verify, `whole` whether all signatures of the commit hold.
type stepVector struct {
	Name      string    `json:"name"`
	Trusted   int       `json:"trusted"`
	Untrusted int       `json:"untrusted"`
	Now       timestamp `json:"now"`
	PeriodS   int64     `json:"period_s"`
	DriftS    int64     `json:"drift_s"`
	Level     [2]uint64 `json:"level"`
	Verdict   string    `json:"verdict"`
	Whole     bool      `json:"whole"`
	Reason    string    `json:"reason"`
}

// A chain: places of its blocks, and what the light client asked for to get from first to last.
type pathVector struct {
	Name   string  `json:"name"`
	Blocks []int   `json:"blocks"`
	Holds  bool    `json:"holds"`
	Asked  []int64 `json:"asked"`
}

type lightVectors struct {
	Source string       `json:"source"`
	Chain  string       `json:"chain"`
	Blocks []lightBlock `json:"blocks"`
	Steps  []stepVector `json:"steps"`
	Paths  []pathVector `json:"paths"`
}

// A maker of light blocks and of verdicts on them.
type lightMaker struct {
	out   lightVectors
	seen  map[*types.LightBlock]int
	start time.Time
}

func makeLightVectors() lightVectors {
	maker := &lightMaker{
		out:   lightVectors{Source: "github.com/cometbft/cometbft v" + version.TMCoreSemVer, Chain: lightChainID},
		seen:  map[*types.LightBlock]int{},
		start: time.Unix(1_780_000_000, 500_000_000).UTC(),
	}
	maker.addSteps()
	maker.addPath("turnover", maker.chain(turnover))
	rng := rand.New(rand.NewSource(20_261_122))
	sets := []string{}
	set := []byte("abcdef")
	for height := 0; height < 40; height++ {
		sets = append(sets, string(set))
		if rng.Intn(3) == 0 {
			set[rng.Intn(len(set))] = freeLetter(rng, set)
		}
	}
	maker.addPath("at random", maker.chain(sets))
	maker.addPath("never changed", maker.chain(strings.Fields(strings.Repeat("abcd ", 12))))
	maker.addPath("changed wholly at once", maker.chain([]string{"abc", "abc", "abc", "xyz", "xyz", "xyz", "xyz"}))
	return maker.out
}

func freeLetter(rng *rand.Rand, set []byte) byte {
	for {
		letter := byte('a' + rng.Intn(26))
		if !strings.ContainsRune(string(set), rune(letter)) {
			return letter
		}
	}
}

// Each letter is a validator of power 10, or of the power that follows it.
var turnover = []string{
	"abcd", "abcd", "abcd", "bcde", "cdef", "defg", "efgh", "fghi", "ghij", "ghij", "ghij",
}

func lightKey(letter rune) ed25519.PrivKey {
	return ed25519.GenPrivKeyFromSecret([]byte("light " + string(letter)))
}

func lightSet(text string) *types.ValidatorSet {
	members := []*types.Validator{}
	for at, letter := range text {
		if letter >= '0' && letter <= '9' {
			continue
		}
		digits := text[at+1:]
		if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = digits[:end]
		}
		power, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			power = 10
		}
		members = append(members, types.NewValidator(lightKey(letter).PubKey(), power))
	}
	return types.NewValidatorSet(members)
}

func lightKeys() map[string]ed25519.PrivKey {
	keys := map[string]ed25519.PrivKey{}
	for letter := 'a'; letter <= 'z'; letter++ {
		keys[string(lightKey(letter).PubKey().Address())] = lightKey(letter)
	}
	return keys
}

// chain makes a light block for each set but the last; a set is that of its height.
func (m *lightMaker) chain(sets []string) []*types.LightBlock {
	out := []*types.LightBlock{}
	for at := 0; at < len(sets)-1; at++ {
		out = append(out, m.block(int64(at+1), sets[at], sets[at+1], nil))
	}
	return out
}

// block makes a signed block; `change` may change its header before it is signed.
func (m *lightMaker) block(height int64, set, next string, change func(*types.Header)) *types.LightBlock {
	validators := lightSet(set)
	name := []byte(fmt.Sprintf("%d %s %s", height, set, next))
	made := &types.Header{
		Version: cmtversion.Consensus{Block: version.BlockProtocol, App: 1},
		ChainID: lightChainID, Height: height,
		Time:           m.start.Add(time.Duration(height) * time.Minute),
		LastBlockID:    types.BlockID{Hash: tmhash.Sum(name), PartSetHeader: types.PartSetHeader{Total: 1, Hash: tmhash.Sum(name)}},
		LastCommitHash: tmhash.Sum(name), DataHash: tmhash.Sum(name), ValidatorsHash: validators.Hash(),
		NextValidatorsHash: lightSet(next).Hash(), ConsensusHash: tmhash.Sum(name), AppHash: tmhash.Sum(name),
		LastResultsHash: tmhash.Sum(name), EvidenceHash: tmhash.Sum(name),
		ProposerAddress: validators.Validators[0].Address,
	}
	if change != nil {
		change(made)
	}
	return m.signed(made, validators, "")
}

// signed makes the commit; flags as in `attempt`, all c when empty.
func (m *lightMaker) signed(made *types.Header, validators *types.ValidatorSet, flags string) *types.LightBlock {
	if flags == "" {
		flags = strings.Repeat("c", validators.Size())
	}
	rng := rand.New(rand.NewSource(made.Height))
	id := types.BlockID{Hash: made.Hash(), PartSetHeader: types.PartSetHeader{Total: 1, Hash: tmhash.Sum(made.Hash())}}
	votes := makeCommit(rng, made.ChainID, validators, lightKeys(), id, made.Height, flags)
	return &types.LightBlock{
		SignedHeader: &types.SignedHeader{Header: made, Commit: votes}, ValidatorSet: validators,
	}
}

func (m *lightMaker) place(block *types.LightBlock) int {
	if at, ok := m.seen[block]; ok {
		return at
	}
	made := lightBlock{fromCommit(block.Commit), fromHeader(block.Header), []validator{}}
	for _, member := range block.ValidatorSet.Validators {
		made.Validators = append(made.Validators, fromValidator(member))
	}
	m.out.Blocks = append(m.out.Blocks, made)
	m.seen[block] = len(m.out.Blocks) - 1
	return m.seen[block]
}

type question struct {
	name               string
	trusted, untrusted *types.LightBlock
	now                time.Time
	period, drift      time.Duration
	level              cmtmath.Fraction
}

func (m *lightMaker) ask(name string, trusted, untrusted *types.LightBlock, changes ...func(*question)) {
	asked := question{
		name, trusted, untrusted, m.start.Add(time.Hour), 24 * time.Hour, 10 * time.Second, light.DefaultTrustLevel,
	}
	for _, change := range changes {
		change(&asked)
	}
	err := light.Verify(
		trusted.SignedHeader, trusted.ValidatorSet, untrusted.SignedHeader, untrusted.ValidatorSet,
		asked.period, asked.now, asked.drift, asked.level,
	)
	verdict, reason := "holds", ""
	if err != nil {
		reason = err.Error()
		switch err.(type) {
		case light.ErrOldHeaderExpired:
			verdict = "expired"
		case light.ErrNewValSetCantBeTrusted:
			verdict = "not enough trust"
		default:
			verdict = "invalid"
		}
	}
	whole := untrusted.Commit.ValidateBasic()
	if whole == nil {
		whole = types.VerifyCommit(
			lightChainID, untrusted.ValidatorSet, untrusted.Commit.BlockID, untrusted.Height, untrusted.Commit,
		)
	}
	m.out.Steps = append(m.out.Steps, stepVector{
		name, m.place(trusted), m.place(untrusted), fromTime(asked.now), int64(asked.period / time.Second),
		int64(asked.drift / time.Second), [2]uint64{asked.level.Numerator, asked.level.Denominator},
		verdict, whole == nil, reason,
	})
}

func (m *lightMaker) addSteps() {
	c := m.chain(turnover)
	one := c[0]
	for _, to := range []int{2, 3, 4, 5, 6, 7, 8, 10} {
		m.ask(fmt.Sprintf("from 1 to %d", to), one, c[to-1])
	}
	m.ask("next, with other validators", c[2], c[3])
	m.ask("the same header", c[2], c[2])
	m.ask("an earlier header", c[2], c[1])
	m.addLevels(c)
	m.addTimes(c)
	m.addVotes(c)
	m.addSpoilt(c)
	m.addHeaders(c)
}

func withLevel(numerator, denominator uint64) func(*question) {
	return func(asked *question) {
		asked.level = cmtmath.Fraction{Numerator: numerator, Denominator: denominator}
	}
}

func (m *lightMaker) addLevels(c []*types.LightBlock) {
	m.ask("one half at level 1/2", c[0], c[4], withLevel(1, 2))
	m.ask("three quarters at level 1/2", c[0], c[3], withLevel(1, 2))
	m.ask("three quarters at level 3/4", c[0], c[3], withLevel(3, 4))
	m.ask("three quarters at level 2/3", c[0], c[3], withLevel(2, 3))
	m.ask("all at level 1", c[0], c[2], withLevel(1, 1))
	m.ask("exactly a third", m.block(1, "abc", "abc", nil), m.block(3, "cxy", "cxy", nil))
	m.ask("a third and one", m.block(1, "a10b10c11", "a10b10c11", nil), m.block(3, "cxy", "cxy", nil))
	heavy := "a288230376151711744b288230376151711744c288230376151711743"
	m.ask("as much power as may be", m.block(1, heavy, heavy, nil), m.block(3, heavy, heavy, nil))
	m.ask("power counts as trusted, not as it is now",
		m.block(1, "a1b1c1d30", "a1b1c1d30", nil), m.block(3, "a30b30c30x", "a30b30c30x", nil))
	m.ask("little of its own, much of what is trusted",
		m.block(1, "a90b5c5", "a90b5c5", nil), m.block(3, "a1xyz", "a1xyz", nil))
}

func (m *lightMaker) addTimes(c []*types.LightBlock) {
	for _, to := range []int{2, 3} {
		new := c[to-1]
		m.ask("at the end of the trust period", c[0], new, func(asked *question) {
			asked.now = c[0].Time.Add(asked.period)
		})
		m.ask("before the end of the trust period", c[0], new, func(asked *question) {
			asked.now = c[0].Time.Add(asked.period - time.Nanosecond)
		})
		m.ask("as far in the future as may not be", c[0], new, func(asked *question) {
			asked.now = new.Time.Add(-asked.drift)
		})
		m.ask("as far in the future as may be", c[0], new, func(asked *question) {
			asked.now = new.Time.Add(-asked.drift + time.Nanosecond)
		})
		m.ask("time stands still", c[0], m.block(int64(to), "abcd", "abcd", func(made *types.Header) {
			made.Time = c[0].Time
		}))
		m.ask("time goes back", c[0], m.block(int64(to), "abcd", "abcd", func(made *types.Header) {
			made.Time = c[0].Time.Add(-time.Nanosecond)
		}))
		m.ask("a nanosecond later", c[0], m.block(int64(to), "abcd", "abcd", func(made *types.Header) {
			made.Time = c[0].Time.Add(time.Nanosecond)
		}))
	}
}

func (m *lightMaker) addVotes(c []*types.LightBlock) {
	for _, to := range []int{2, 3} {
		for _, flags := range []string{"ccca", "nccc", "cnca", "aacc", "nncc", "aaaa", "nnnn"} {
			made := c[to-1]
			m.ask("votes "+flags, c[0], m.signed(made.Header, made.ValidatorSet, flags))
		}
	}
	made := c[4] // c, d, e, f: trusted are c and d
	for at, member := range made.ValidatorSet.Validators {
		flags := strings.Repeat("c", at) + "n" + strings.Repeat("c", 3-at)
		known := c[0].ValidatorSet.HasAddress(member.Address)
		m.ask(fmt.Sprintf("no vote of one who is trusted: %v", known), c[0],
			m.signed(made.Header, made.ValidatorSet, flags))
	}
}

func (m *lightMaker) spoilt(from *types.LightBlock, spoil func(*types.LightBlock)) *types.LightBlock {
	made := m.signed(from.Header, from.ValidatorSet.Copy(), "")
	header := *from.Header
	made.Header = &header
	spoil(made)
	return made
}

func (m *lightMaker) addSpoilt(c []*types.LightBlock) {
	spoilers := attempts()
	for _, to := range []int{2, 3, 4, 5} {
		for _, each := range spoilers {
			if each.spoil == nil || each.flags != "cccc" {
				continue
			}
			m.ask(fmt.Sprintf("%d: %s", to, each.name), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
				each.spoil(made.Commit, made.ValidatorSet)
			}))
		}
		for at := 0; at < 4; at++ {
			m.ask(fmt.Sprintf("%d: signature %d is forged", to, at), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
				made.Commit.Signatures[at].Signature[0] ^= 1
			}))
		}
		m.ask(fmt.Sprintf("%d: another's validators", to), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			made.ValidatorSet = lightSet("wxyz")
		}))
		m.ask(fmt.Sprintf("%d: a validator exchanged", to), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			made.ValidatorSet.Validators[2] = types.NewValidator(lightKey('z').PubKey(), 10)
		}))
		m.ask(fmt.Sprintf("%d: a validator with more power", to), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			made.ValidatorSet.Validators[0].VotingPower++
		}))
		m.ask(fmt.Sprintf("%d: validators in another order", to), c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			all := made.ValidatorSet.Validators
			all[0], all[1] = all[1], all[0]
		}))
	}
	m.ask("all forged, with the names of those who are trusted", c[0], m.spoilt(c[2], func(made *types.LightBlock) {
		for at := range made.Commit.Signatures {
			signature, err := lightKey('z').Sign(made.Commit.VoteSignBytes(lightChainID, int32(at)))
			must(err)
			made.Commit.Signatures[at].Signature = signature
		}
	}))
}

func (m *lightMaker) addHeaders(c []*types.LightBlock) {
	changes := map[string]func(*types.Header){
		"of another chain":               func(made *types.Header) { made.ChainID = "hansa-other" },
		"of another block protocol":      func(made *types.Header) { made.Version.Block = 10 },
		"a proposer's address too short": func(made *types.Header) { made.ProposerAddress = made.ProposerAddress[:19] },
		"a data hash too short":          func(made *types.Header) { made.DataHash = made.DataHash[:31] },
		"a hash of validators to come too long": func(made *types.Header) {
			made.NextValidatorsHash = append([]byte{}, append(made.NextValidatorsHash, 0)...)
		},
		"a last block's hash too short": func(made *types.Header) { made.LastBlockID.Hash = made.LastBlockID.Hash[:20] },
		"a last part set's hash too short": func(made *types.Header) {
			made.LastBlockID.PartSetHeader.Hash = made.LastBlockID.PartSetHeader.Hash[:20]
		},
		"an application hash of any size": func(made *types.Header) { made.AppHash = []byte{1, 2, 3} },
		"without a last block":            func(made *types.Header) { made.LastBlockID = types.BlockID{} },
		"empty hashes": func(made *types.Header) {
			made.LastCommitHash, made.DataHash, made.EvidenceHash, made.LastResultsHash = nil, nil, nil, nil
		},
		"of no application version": func(made *types.Header) { made.Version.App = 0 },
	}
	for _, name := range sortedNames(changes) {
		for _, height := range []int64{2, 3} {
			m.ask(name, c[0], m.block(height, "abcd", "abcd", changes[name]))
		}
	}
	for _, to := range []int{2, 3} {
		m.ask("changed after it was signed", c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			made.Header.AppHash = tmhash.Sum([]byte("other"))
		}))
		m.ask("another height after it was signed", c[0], m.spoilt(c[to-1], func(made *types.LightBlock) {
			made.Header.Height += 5
		}))
	}
	liar := m.block(1, "abcd", "wxyz", nil)
	m.ask("not the validators that were announced", liar, c[1])
	m.ask("what was announced does not matter further on", liar, c[2])
	m.ask("the validators that were announced, of whom none was trusted", liar, m.block(2, "wxyz", "wxyz", nil))
	m.ask("unknown validators further on", c[0], m.block(3, "wxyz", "wxyz", nil))
}

func sortedNames(all map[string]func(*types.Header)) []string {
	names := []string{}
	for name := range all {
		names = append(names, name)
	}
	for i := range names {
		for j := i + 1; j < len(names); j++ {
			if names[j] < names[i] {
				names[i], names[j] = names[j], names[i]
			}
		}
	}
	return names
}

// A provider that counts what it is asked for.
type counting struct {
	blocks []*types.LightBlock
	asked  []int64
}

func (p *counting) ChainID() string { return lightChainID }

func (p *counting) LightBlock(_ context.Context, height int64) (*types.LightBlock, error) {
	if height == 0 {
		height = int64(len(p.blocks))
	}
	if height > int64(len(p.blocks)) {
		return nil, provider.ErrHeightTooHigh
	}
	p.asked = append(p.asked, height)
	return p.blocks[height-1], nil
}

func (p *counting) ReportEvidence(context.Context, types.Evidence) error { return nil }

// addPath has CometBFT's light client go from the first block to the last.
func (m *lightMaker) addPath(name string, blocks []*types.LightBlock) {
	primary, witness := &counting{blocks: blocks}, &counting{blocks: blocks}
	options := light.TrustOptions{Period: 24 * time.Hour, Height: 1, Hash: blocks[0].Hash()}
	client, err := light.NewClient(
		context.Background(), lightChainID, options, primary, []provider.Provider{witness}, dbs.New(dbm.NewMemDB(), ""),
	)
	must(err)
	primary.asked = nil
	_, err = client.VerifyLightBlockAtHeight(context.Background(), int64(len(blocks)), m.start.Add(2*time.Hour))
	vector := pathVector{Name: name, Blocks: []int{}, Holds: err == nil, Asked: primary.asked}
	for _, block := range blocks {
		vector.Blocks = append(vector.Blocks, m.place(block))
	}
	m.out.Paths = append(m.out.Paths, vector)
}
