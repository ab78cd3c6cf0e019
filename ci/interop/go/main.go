// The Go client v2 against a running broker: sends and consumes, and checks what arrived.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

var (
	namesrv = os.Args[1]
	run     = strconv.FormatInt(time.Now().UnixMilli(), 36)
	topic   = "InteropGo_" + run
	passed  int
	failed  int
)

func check(name string, run func() error) {
	start := time.Now()
	if err := run(); err != nil {
		failed++
		fmt.Printf("FAILED  %s: %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok      %-46s %5d ms\n", name, time.Since(start).Milliseconds())
}

type set struct {
	sync.Mutex
	seen map[string]int
}

func (s *set) add(body string) {
	s.Lock()
	defer s.Unlock()
	s.seen[body]++
}

func (s *set) len() int {
	s.Lock()
	defer s.Unlock()
	return len(s.seen)
}

func newSet() *set { return &set{seen: map[string]int{}} }

func message(kind string, i int) *primitive.Message {
	tag := "TagB"
	if i%2 == 0 {
		tag = "TagA"
	}
	body := fmt.Sprintf("%s-%d", kind, i)
	msg := primitive.NewMessage(topic, []byte(body)).WithTag(tag).WithKeys([]string{"key-" + body})
	msg.WithProperty("colour", "röd "+body)
	return msg
}

func consume(group string, selector consumer.MessageSelector, expected map[string]bool, linger time.Duration) error {
	received := newSet()
	var wrong sync.Map
	push, err := rocketmq.NewPushConsumer(
		consumer.WithGroupName(group+run),
		consumer.WithInstance(group+run),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{namesrv})),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return err
	}
	err = push.Subscribe(topic, selector, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, msg := range messages {
			body := string(msg.Body)
			if msg.GetProperty("colour") != "röd "+body || msg.GetKeys() != "key-"+body {
				wrong.Store(body, msg.GetProperties())
			}
			received.add(body)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	if err := push.Start(); err != nil {
		return err
	}
	defer push.Shutdown()
	for i := 0; i < 900 && received.len() < len(expected); i++ {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(linger)
	received.Lock()
	defer received.Unlock()
	for body := range expected {
		if received.seen[body] == 0 {
			return fmt.Errorf("%d of %d received; %s is missing", len(received.seen), len(expected), body)
		}
	}
	for body := range received.seen {
		if !expected[body] {
			return fmt.Errorf("%s was not to come", body)
		}
	}
	var mistake error
	wrong.Range(func(body, properties any) bool {
		mistake = fmt.Errorf("properties of %v are %v", body, properties)
		return false
	})
	return mistake
}

func main() {
	rlog.SetLogLevel("fatal")
	sent, tagged := map[string]bool{}, map[string]bool{}
	note := func(kind string, i int) {
		body := fmt.Sprintf("%s-%d", kind, i)
		sent[body] = true
		if i%2 == 0 {
			tagged[body] = true
		}
	}
	p, err := rocketmq.NewProducer(
		producer.WithGroupName("producer"+run),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{namesrv})),
		producer.WithSendMsgTimeout(10*time.Second),
		producer.WithRetry(2),
	)
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		fmt.Println("FAILED  producer:", err)
		os.Exit(1)
	}
	check("sync send of 500", func() error {
		for i := 0; i < 500; i++ {
			result, err := p.SendSync(context.Background(), message("sync", i))
			if err != nil {
				return err
			}
			if result.Status != primitive.SendOK {
				return fmt.Errorf("sync-%d: %v", i, result)
			}
			note("sync", i)
		}
		return nil
	})
	check("async send of 100", func() error {
		var wait sync.WaitGroup
		failures := newSet()
		for i := 0; i < 100; i++ {
			wait.Add(1)
			note("async", i)
			err := p.SendAsync(context.Background(), func(_ context.Context, result *primitive.SendResult, err error) {
				if err != nil || result.Status != primitive.SendOK {
					failures.add(fmt.Sprint(result, err))
				}
				wait.Done()
			}, message("async", i))
			if err != nil {
				return err
			}
		}
		wait.Wait()
		if failures.len() > 0 {
			return fmt.Errorf("%v", failures.seen)
		}
		return nil
	})
	check("oneway send of 50", func() error {
		for i := 0; i < 50; i++ {
			if err := p.SendOneWay(context.Background(), message("oneway", i)); err != nil {
				return err
			}
			note("oneway", i)
		}
		return nil
	})
	check("batch send of 20", func() error {
		var batch []*primitive.Message
		for i := 0; i < 20; i++ {
			batch = append(batch, message("batch", i))
			note("batch", i)
		}
		result, err := p.SendSync(context.Background(), batch...)
		if err == nil && (result.Status != primitive.SendOK || strings.Count(result.OffsetMsgID, ",") != 19) {
			err = fmt.Errorf("%v", result)
		}
		return err
	})
	check("push consumer", func() error {
		return consume("push", consumer.MessageSelector{}, sent, 0)
	})
	check("push consumer of one tag", func() error {
		return consume("tagged", consumer.MessageSelector{Type: consumer.TAG, Expression: "TagA"}, tagged, time.Second)
	})
	p.Shutdown()
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
