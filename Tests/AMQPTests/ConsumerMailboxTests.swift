import AMQP
import Testing

/// Epochs, acknowledgements and the bytes of deliveries in memory.
@Suite struct ConsumerMailboxTests {
  @Test func readingStopsAtTheLimitAndContinuesBelowIt() {
    var mailbox = ConsumerMailbox(maximumBytes: 100)
    let epoch = mailbox.open()
    mailbox.hold(bytes: 60, epoch: epoch)
    #expect(mailbox.room == 40)
    mailbox.hold(bytes: 70, epoch: epoch)
    #expect(mailbox.room == -30)
    #expect(mailbox.release(bytes: 30, epoch: epoch) == false, "still full")
    #expect(mailbox.release(bytes: 1, epoch: epoch) == true, "reading may continue")
    #expect(mailbox.release(bytes: 99, epoch: epoch) == false, "it had continued already")
    #expect(mailbox.room == 100)
  }

  @Test func onlyTheFirstAcknowledgementWakesTheThread() {
    var mailbox = ConsumerMailbox(maximumBytes: .max)
    let epoch = mailbox.open()
    #expect(mailbox.post(.accept(1, multiple: true), epoch: epoch) == true)
    #expect(mailbox.post(.reject(2), epoch: epoch) == false)
    #expect(mailbox.takeAcknowledgements() == [.accept(1, multiple: true), .reject(2)])
    #expect(mailbox.takeAcknowledgements() == [])
    #expect(mailbox.post(.reject(3), epoch: epoch) == true)
  }

  @Test func anEpochThatIsOverIsIgnored() {
    var mailbox = ConsumerMailbox(maximumBytes: 10)
    #expect(mailbox.post(.reject(1), epoch: 1) == false, "not open yet")
    #expect(mailbox.release(bytes: 5, epoch: 1) == false, "not open yet")
    let first = mailbox.open()
    mailbox.hold(bytes: 10, epoch: first)
    _ = mailbox.post(.reject(1), epoch: first)
    mailbox.close()
    #expect(mailbox.room == 10)
    #expect(mailbox.takeAcknowledgements() == [])
    #expect(mailbox.post(.reject(1), epoch: first) == false)
    #expect(mailbox.release(bytes: 10, epoch: first) == false)
    let second = mailbox.open()
    #expect(second != first)
    mailbox.hold(bytes: 4, epoch: second)
    #expect(mailbox.post(.reject(1), epoch: first) == false)
    #expect(mailbox.release(bytes: 10, epoch: first) == false)
    #expect(mailbox.room == 6)
    #expect(mailbox.takeAcknowledgements() == [])
  }

  @Test func quiescingIsFinal() {
    var mailbox = ConsumerMailbox(maximumBytes: 1)
    mailbox.set(.suspend)
    #expect(mailbox.goal == .suspend)
    mailbox.set(.consume)
    mailbox.set(.quiesce)
    mailbox.set(.consume)
    mailbox.set(.suspend)
    #expect(mailbox.goal == .quiesce)
  }
}
