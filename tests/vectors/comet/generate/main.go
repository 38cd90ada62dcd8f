// Command generate prints test vectors made by CometBFT's own code, for Hansa's Python formats.
//
//	go run . > ../vectors.json
//	go run . light > ../light.json
//
// Everything is derived from fixed seeds: the same release of CometBFT prints the same bytes.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
)

type timestamp struct {
	Seconds int64 `json:"seconds"`
	Nanos   int   `json:"nanos"`
}

type parts struct {
	Total uint32 `json:"total"`
	Hash  []byte `json:"hash"`
}

type blockID struct {
	Hash  []byte `json:"hash"`
	Parts parts  `json:"parts"`
}

type consensusVersion struct {
	Block uint64 `json:"block"`
	App   uint64 `json:"app"`
}

type header struct {
	Version            consensusVersion `json:"version"`
	ChainID            string           `json:"chain_id"`
	Height             int64            `json:"height"`
	Time               timestamp        `json:"time"`
	LastBlockID        blockID          `json:"last_block_id"`
	LastCommitHash     []byte           `json:"last_commit_hash"`
	DataHash           []byte           `json:"data_hash"`
	ValidatorsHash     []byte           `json:"validators_hash"`
	NextValidatorsHash []byte           `json:"next_validators_hash"`
	ConsensusHash      []byte           `json:"consensus_hash"`
	AppHash            []byte           `json:"app_hash"`
	LastResultsHash    []byte           `json:"last_results_hash"`
	EvidenceHash       []byte           `json:"evidence_hash"`
	ProposerAddress    []byte           `json:"proposer_address"`
}

type commitSig struct {
	Flag      int       `json:"flag"`
	Address   []byte    `json:"address"`
	Time      timestamp `json:"time"`
	Signature []byte    `json:"signature"`
}

type commit struct {
	Height     int64       `json:"height"`
	Round      int32       `json:"round"`
	BlockID    blockID     `json:"block_id"`
	Signatures []commitSig `json:"signatures"`
}

type validator struct {
	PublicKey []byte `json:"public_key"`
	Power     int64  `json:"power"`
}

type execResult struct {
	Code      uint32 `json:"code"`
	Data      []byte `json:"data"`
	GasWanted int64  `json:"gas_wanted"`
	GasUsed   int64  `json:"gas_used"`
}

type merkleVector struct {
	Leaves []string   `json:"leaves"`
	Root   string     `json:"root"`
	Aunts  [][]string `json:"aunts"`
}

type headerVector struct {
	Header  header `json:"header"`
	Hash    string `json:"hash"`
	Encoded string `json:"encoded"`
}

type voteVector struct {
	ChainID   string    `json:"chain_id"`
	Type      int       `json:"type"`
	Height    int64     `json:"height"`
	Round     int32     `json:"round"`
	BlockID   blockID   `json:"block_id"`
	Time      timestamp `json:"time"`
	SignBytes string    `json:"sign_bytes"`
	PublicKey string    `json:"public_key"`
	Signature string    `json:"signature"`
}

type setVector struct {
	Given     []validator `json:"given"`
	Ordered   []validator `json:"ordered"`
	Addresses []string    `json:"addresses"`
	Total     int64       `json:"total"`
	Hash      string      `json:"hash"`
}

type commitVector struct {
	Name       string      `json:"name"`
	ChainID    string      `json:"chain_id"`
	Height     int64       `json:"height"`
	BlockID    blockID     `json:"block_id"`
	Validators []validator `json:"validators"`
	Commit     commit      `json:"commit"`
	Hash       string      `json:"hash"`
	Encoded    string      `json:"encoded"`
	Holds      bool        `json:"holds"`
	Reason     string      `json:"reason"`
}

type resultsVector struct {
	Results []execResult `json:"results"`
	Encoded []string     `json:"encoded"`
	Hash    string       `json:"hash"`
}

// A transaction is `size` times the byte `fill`: vectors stay short.
type transaction struct {
	Fill byte `json:"fill"`
	Size int  `json:"size"`
}

type blockVector struct {
	Header       header        `json:"header"`
	Transactions []transaction `json:"transactions"`
	LastCommit   commit        `json:"last_commit"`
	DataHash     string        `json:"data_hash"`
	Size         int           `json:"size"`
	Digest       string        `json:"digest"`
	BlockID      blockID       `json:"block_id"`
}

type paramsVector struct {
	MaxBytes int64  `json:"max_bytes"`
	MaxGas   int64  `json:"max_gas"`
	Hash     string `json:"hash"`
}

type vectors struct {
	Source  string          `json:"source"`
	Merkle  []merkleVector  `json:"merkle"`
	Headers []headerVector  `json:"headers"`
	Votes   []voteVector    `json:"votes"`
	Sets    []setVector     `json:"sets"`
	Commits []commitVector  `json:"commits"`
	Results []resultsVector `json:"results"`
	Blocks  []blockVector   `json:"blocks"`
	Params  []paramsVector  `json:"params"`
}

func main() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if len(os.Args) > 1 && os.Args[1] == "light" {
		must(encoder.Encode(makeLightVectors()))
		return
	}
	encoder.SetIndent("", " ")
	rng := rand.New(rand.NewSource(20_260_101))
	out := vectors{
		Source:  "github.com/cometbft/cometbft v" + version.TMCoreSemVer,
		Merkle:  merkleVectors(rng),
		Headers: headerVectors(rng),
		Votes:   voteVectors(rng),
		Sets:    setVectors(rng),
		Commits: commitVectors(rng),
		Results: resultVectors(rng),
		Blocks:  blockVectors(rng),
		Params:  paramVectors(),
	}
	must(encoder.Encode(out))
}

func merkleVectors(rng *rand.Rand) []merkleVector {
	out := []merkleVector{}
	for _, size := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 33} {
		leaves := make([][]byte, size)
		vector := merkleVector{Leaves: []string{}, Aunts: [][]string{}}
		for i := range leaves {
			leaves[i] = random(rng, rng.Intn(40))
			vector.Leaves = append(vector.Leaves, hex.EncodeToString(leaves[i]))
		}
		root, proofs := merkle.ProofsFromByteSlices(leaves)
		if size == 0 {
			root = merkle.HashFromByteSlices(leaves)
		}
		vector.Root = hex.EncodeToString(root)
		for i, proof := range proofs {
			must(proof.Verify(root, leaves[i]))
			aunts := []string{}
			for _, aunt := range proof.Aunts {
				aunts = append(aunts, hex.EncodeToString(aunt))
			}
			vector.Aunts = append(vector.Aunts, aunts)
		}
		out = append(out, vector)
	}
	return out
}

func headerVectors(rng *rand.Rand) []headerVector {
	out := []headerVector{}
	for i := 0; i < 24; i++ {
		made := randomHeader(rng, "hansa-vectors")
		switch i {
		case 0: // the first block of a chain
			made.Height = 1
			made.LastBlockID = types.BlockID{}
			made.LastCommitHash = (&types.Commit{}).Hash()
			made.AppHash = []byte{}
		case 1:
			made.ChainID = "聯盟-1"
		case 2:
			made.Version.App = 1 << 62
			made.Height = 1<<62 + 7
		case 3:
			made.Time = time.Unix(0, 0).UTC()
		case 4:
			made.Time = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
		case 5:
			made.Time = time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
		case 6:
			made.LastResultsHash = nil
			made.EvidenceHash = nil
			made.DataHash = nil
		case 7:
			made.AppHash = random(rng, 8)
		}
		encoded, err := made.ToProto().Marshal()
		must(err)
		out = append(out, headerVector{fromHeader(made), hexOf(made.Hash()), hexOf(encoded)})
	}
	return out
}

func voteVectors(rng *rand.Rand) []voteVector {
	out := []voteVector{}
	chains := []string{"", "hansa-vectors", "聯盟-1"}
	for i := 0; i < 24; i++ {
		key := ed25519.GenPrivKeyFromSecret([]byte(fmt.Sprintf("vote %d", i)))
		vote := types.Vote{
			Type:      cmtproto.SignedMsgType(1 + i%2),
			Height:    rng.Int63n(1 << uint(1+i*2)),
			Round:     int32(i % 3),
			BlockID:   randomBlockID(rng),
			Timestamp: randomTime(rng),
		}
		if i%4 == 3 {
			vote.BlockID = types.BlockID{}
		}
		if i == 8 {
			vote.Timestamp = time.Time{}
		}
		chain := chains[i%len(chains)]
		message := types.VoteSignBytes(chain, vote.ToProto())
		signature, err := key.Sign(message)
		must(err)
		out = append(out, voteVector{
			chain, int(vote.Type), vote.Height, vote.Round, fromBlockID(vote.BlockID),
			fromTime(vote.Timestamp), hexOf(message), hexOf(key.PubKey().Bytes()), hexOf(signature),
		})
	}
	return out
}

func setVectors(rng *rand.Rand) []setVector {
	out := []setVector{}
	for _, size := range []int{1, 2, 3, 4, 7, 10, 31, 100} {
		given := make([]*types.Validator, size)
		vector := setVector{Given: []validator{}, Ordered: []validator{}, Addresses: []string{}}
		for i := range given {
			key := ed25519.GenPrivKeyFromSecret([]byte(fmt.Sprintf("set %d %d", size, i)))
			power := 1 + rng.Int63n(4)
			if size == 3 {
				power = 1 << 58
			}
			given[i] = types.NewValidator(key.PubKey(), power)
			vector.Given = append(vector.Given, fromValidator(given[i]))
		}
		set := types.NewValidatorSet(given)
		for _, member := range set.Validators {
			vector.Ordered = append(vector.Ordered, fromValidator(member))
			vector.Addresses = append(vector.Addresses, hexOf(member.Address))
		}
		vector.Total = set.TotalVotingPower()
		vector.Hash = hexOf(set.Hash())
		out = append(out, vector)
	}
	return out
}

// A commit to be judged: `spoil` makes it into what its name says.
type attempt struct {
	name  string
	size  int
	flags string // one letter per validator: c(ommit), n(il), a(bsent)
	spoil func(made *types.Commit, set *types.ValidatorSet)
}

func attempts() []attempt {
	return []attempt{
		{"one validator", 1, "c", nil},
		{"two validators", 2, "cc", nil},
		{"four of four", 4, "cccc", nil},
		{"three of four, one absent", 4, "ccca", nil},
		{"three of four, one nil", 4, "cncc", nil},
		{"two of three is not more than two thirds", 3, "cca", nil},
		{"two of four", 4, "cacn", nil},
		{"seven with nil and absent", 7, "ccnccac", nil},
		{"ten", 10, "cccccccnna", nil},
		{"none", 4, "aaaa", nil},
		{"a needless signature is wrong", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].Signature[5] ^= 1
		}},
		{"a nil signature is wrong", 4, "cccn", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].Signature[40] ^= 1
		}},
		{"one signature counted again", 4, "ccaa", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[2] = made.Signatures[0]
			made.Signatures[3] = made.Signatures[1]
		}},
		{"two entries exchanged", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[0], made.Signatures[1] = made.Signatures[1], made.Signatures[0]
		}},
		{"another's address", 4, "cccc", func(made *types.Commit, set *types.ValidatorSet) {
			made.Signatures[0].ValidatorAddress = set.Validators[1].Address
		}},
		{"an entry too many", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures = append(made.Signatures, made.Signatures[0])
		}},
		{"an entry too few", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures = made.Signatures[:3]
		}},
		{"another height", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Height++
		}},
		{"another round", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Round++
		}},
		{"another block", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.BlockID.Hash = tmhash.Sum([]byte("another"))
		}},
		{"another part set", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.BlockID.PartSetHeader.Total++
		}},
		{"a moved time", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[2].Timestamp = made.Signatures[2].Timestamp.Add(time.Nanosecond)
		}},
		{"absent with a time", 4, "ccca", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].Timestamp = made.Signatures[0].Timestamp
		}},
		{"absent with a signature", 4, "ccca", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].Signature = made.Signatures[0].Signature
		}},
		{"absent with an address", 4, "ccca", func(made *types.Commit, set *types.ValidatorSet) {
			made.Signatures[3].ValidatorAddress = set.Validators[3].Address
		}},
		{"an unknown flag", 4, "cccc", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].BlockIDFlag = 4
		}},
		{"a nil vote called a vote for the block", 4, "cccn", func(made *types.Commit, _ *types.ValidatorSet) {
			made.Signatures[3].BlockIDFlag = types.BlockIDFlagCommit
		}},
	}
}

func commitVectors(rng *rand.Rand) []commitVector {
	const chain = "hansa-vectors"
	out := []commitVector{}
	for _, attempt := range attempts() {
		set, keys := makeSet(attempt.size)
		id, height := randomBlockID(rng), 1+rng.Int63n(1_000_000)
		made := makeCommit(rng, chain, set, keys, id, height, attempt.flags)
		if attempt.spoil != nil {
			attempt.spoil(made, set)
		}
		err := made.ValidateBasic()
		if err == nil {
			err = types.VerifyCommit(chain, set, id, height, made)
		}
		reason := ""
		if err != nil {
			reason = err.Error()
		}
		encoded, failed := made.ToProto().Marshal()
		must(failed)
		vector := commitVector{
			Name: attempt.name, ChainID: chain, Height: height, BlockID: fromBlockID(id),
			Validators: []validator{}, Commit: fromCommit(made), Hash: hexOf(made.Hash()),
			Encoded: hexOf(encoded), Holds: err == nil, Reason: reason,
		}
		for _, member := range set.Validators {
			vector.Validators = append(vector.Validators, fromValidator(member))
		}
		out = append(out, vector)
	}
	return out
}

func resultVectors(rng *rand.Rand) []resultsVector {
	out := []resultsVector{}
	for _, size := range []int{0, 1, 2, 5, 20} {
		vector := resultsVector{Results: []execResult{}, Encoded: []string{}}
		given := []*abci.ExecTxResult{}
		for i := 0; i < size; i++ {
			given = append(given, &abci.ExecTxResult{
				Code: uint32(i % 4), Data: random(rng, (i%3)*16), Log: "not hashed", Info: "nor this",
				GasWanted: int64(i % 2), GasUsed: rng.Int63n(1 << 40), Codespace: "nor this",
			})
		}
		for i, result := range types.NewResults(given) {
			encoded, err := result.Marshal()
			must(err)
			vector.Encoded = append(vector.Encoded, hexOf(encoded))
			vector.Results = append(vector.Results, execResult{
				given[i].Code, some(given[i].Data), given[i].GasWanted, given[i].GasUsed,
			})
		}
		vector.Hash = hexOf(types.NewResults(given).Hash())
		out = append(out, vector)
	}
	return out
}

func blockVectors(rng *rand.Rand) []blockVector {
	loads := [][]transaction{
		{},
		{{1, 10}},
		{{1, 100}, {2, 0}, {3, 300}},
		{{4, 65_536}},
		{{5, 200_000}, {6, 1}, {7, 70_000}},
	}
	out := []blockVector{}
	for i, load := range loads {
		txs := []types.Tx{}
		for _, item := range load {
			tx := make([]byte, item.Size)
			for j := range tx {
				tx[j] = item.Fill
			}
			txs = append(txs, tx)
		}
		last := &types.Commit{}
		if i > 0 {
			set, keys := makeSet(4)
			last = makeCommit(rng, "hansa-vectors", set, keys, randomBlockID(rng), int64(i), "cnca")
		}
		block := types.MakeBlock(int64(i+1), txs, last, nil)
		filled := randomHeader(rng, "hansa-vectors")
		filled.Height = int64(i + 1)
		filled.LastCommitHash = last.Hash()
		filled.DataHash = types.Txs(txs).Hash()
		filled.EvidenceHash = types.EvidenceList{}.Hash()
		if i == 0 {
			filled.LastBlockID = types.BlockID{}
		}
		block.Header = *filled
		proto, err := block.ToProto()
		must(err)
		encoded, err := proto.Marshal()
		must(err)
		set, err := block.MakePartSet(types.BlockPartSizeBytes)
		must(err)
		out = append(out, blockVector{
			Header: fromHeader(filled), Transactions: load, LastCommit: fromCommit(last),
			DataHash: hexOf(filled.DataHash), Size: len(encoded), Digest: hexOf(tmhash.Sum(encoded)),
			BlockID: fromBlockID(types.BlockID{Hash: block.Hash(), PartSetHeader: set.Header()}),
		})
	}
	return out
}

func paramVectors() []paramsVector {
	out := []paramsVector{}
	for _, pair := range [][2]int64{{4_194_304, -1}, {22_020_096, 0}, {-1, 10_000_000}, {1, 1}} {
		params := types.DefaultConsensusParams()
		params.Block.MaxBytes, params.Block.MaxGas = pair[0], pair[1]
		out = append(out, paramsVector{pair[0], pair[1], hexOf(params.Hash())})
	}
	return out
}

func makeSet(size int) (*types.ValidatorSet, map[string]ed25519.PrivKey) {
	keys := map[string]ed25519.PrivKey{}
	members := []*types.Validator{}
	for i := 0; i < size; i++ {
		key := ed25519.GenPrivKeyFromSecret([]byte(fmt.Sprintf("commit %d %d", size, i)))
		keys[string(key.PubKey().Address())] = key
		members = append(members, types.NewValidator(key.PubKey(), 10))
	}
	return types.NewValidatorSet(members), keys
}

func makeCommit(
	rng *rand.Rand, chain string, set *types.ValidatorSet, keys map[string]ed25519.PrivKey,
	id types.BlockID, height int64, flags string,
) *types.Commit {
	made := &types.Commit{Height: height, Round: rng.Int31n(3), BlockID: id}
	for i, member := range set.Validators {
		if flags[i] == 'a' {
			made.Signatures = append(made.Signatures, types.NewCommitSigAbsent())
			continue
		}
		entry := types.CommitSig{
			BlockIDFlag: types.BlockIDFlagCommit, ValidatorAddress: member.Address,
			Timestamp: randomTime(rng),
		}
		if flags[i] == 'n' {
			entry.BlockIDFlag = types.BlockIDFlagNil
		}
		made.Signatures = append(made.Signatures, entry)
	}
	for i, member := range set.Validators {
		if flags[i] == 'a' {
			continue
		}
		signature, err := keys[string(member.Address)].Sign(made.VoteSignBytes(chain, int32(i)))
		must(err)
		made.Signatures[i].Signature = signature
	}
	return made
}

func randomHeader(rng *rand.Rand, chain string) *types.Header {
	return &types.Header{
		Version: cmtversion.Consensus{Block: version.BlockProtocol, App: uint64(rng.Intn(3))},
		ChainID: chain, Height: 1 + rng.Int63n(1<<40), Time: randomTime(rng),
		LastBlockID: randomBlockID(rng), LastCommitHash: random(rng, 32), DataHash: random(rng, 32),
		ValidatorsHash: random(rng, 32), NextValidatorsHash: random(rng, 32),
		ConsensusHash: random(rng, 32), AppHash: random(rng, 32), LastResultsHash: random(rng, 32),
		EvidenceHash: random(rng, 32), ProposerAddress: random(rng, 20),
	}
}

func randomBlockID(rng *rand.Rand) types.BlockID {
	return types.BlockID{
		Hash:          random(rng, 32),
		PartSetHeader: types.PartSetHeader{Total: 1 + uint32(rng.Intn(200)), Hash: random(rng, 32)},
	}
}

func randomTime(rng *rand.Rand) time.Time {
	return time.Unix(rng.Int63n(4_000_000_000), rng.Int63n(1_000_000_000)).UTC()
}

func random(rng *rand.Rand, size int) []byte {
	out := make([]byte, size)
	rng.Read(out)
	return out
}

func fromTime(moment time.Time) timestamp {
	return timestamp{moment.Unix(), moment.Nanosecond()}
}

func fromBlockID(id types.BlockID) blockID {
	return blockID{some(id.Hash), parts{id.PartSetHeader.Total, some(id.PartSetHeader.Hash)}}
}

func fromValidator(member *types.Validator) validator {
	return validator{member.PubKey.Bytes(), member.VotingPower}
}

func fromHeader(made *types.Header) header {
	return header{
		consensusVersion{made.Version.Block, made.Version.App}, made.ChainID, made.Height,
		fromTime(made.Time), fromBlockID(made.LastBlockID), some(made.LastCommitHash),
		some(made.DataHash), some(made.ValidatorsHash), some(made.NextValidatorsHash),
		some(made.ConsensusHash), some(made.AppHash), some(made.LastResultsHash),
		some(made.EvidenceHash), some(made.ProposerAddress),
	}
}

func fromCommit(made *types.Commit) commit {
	out := commit{made.Height, made.Round, fromBlockID(made.BlockID), []commitSig{}}
	for _, entry := range made.Signatures {
		out.Signatures = append(out.Signatures, commitSig{
			int(entry.BlockIDFlag), some(entry.ValidatorAddress), fromTime(entry.Timestamp),
			some(entry.Signature),
		})
	}
	return out
}

// some makes an empty slice of nil, which JSON shows as "" and not as null.
func some(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func hexOf(data []byte) string { return hex.EncodeToString(data) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}
