package broker

// Code is an error code of Kafka's protocol, 0 for none.
type Code = int16

// The codes that the simulation answers with.
const (
	OffsetOutOfRange          Code = 1
	UnknownTopicOrPartition   Code = 3
	OffsetMetadataTooLarge    Code = 12
	IllegalGeneration         Code = 22
	InconsistentGroupProtocol Code = 23
	UnknownMemberID           Code = 25
	RebalanceInProgress       Code = 27
	OutOfOrderSequence        Code = 45
	InvalidProducerEpoch      Code = 47
	InvalidTxnState           Code = 48
	InvalidProducerIDMapping  Code = 49
	InvalidTransactionTimeout Code = 50
	ConcurrentTransactions    Code = 51
	FencedLeaderEpoch         Code = 74
	UnknownLeaderEpoch        Code = 75
	MemberIDRequired          Code = 79
	UnstableOffsetCommit      Code = 88
	ProducerFenced            Code = 90
	TransactionAbortable      Code = 120
)
